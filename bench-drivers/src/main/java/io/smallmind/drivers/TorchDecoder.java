package io.smallmind.drivers;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A Llama in TorchScript, from a folder with config.json and model.safetensors in F32. */
@SuppressWarnings("try") // A PointerScope frees what is made within it.
final class TorchDecoder implements Decoder {
  private static final String LLAMA =
      """
      def embed(self, ids, w):
          return torch.embedding(w, ids)
      def rotate(self, x, c, s):
          a, b = torch.chunk(x, 2, -1)
          return torch.cat([a * c - b * s, b * c + a * s], -1)
      def layer(self, h, n1, wqkv, wo, n2, wgate, wup, wdown, keys, values, cosines, sines,
                position: int, heads: int, eps: float):
          t = h.size(0)
          kv = keys.size(0)
          d = keys.size(2)
          c = torch.narrow(cosines, 0, position, t)
          s = torch.narrow(sines, 0, position, t)
          x = torch.rms_norm(h, [h.size(1)], n1, eps)
          q, k, v = torch.split_with_sizes(
              torch.linear(x, wqkv), [heads * d, kv * d, kv * d], 1)
          q = self.rotate(torch.transpose(q.view(t, heads, d), 0, 1), c, s)
          k = self.rotate(torch.transpose(k.view(t, kv, d), 0, 1), c, s)
          torch.narrow(keys, 1, position, t).copy_(k)
          torch.narrow(values, 1, position, t).copy_(torch.transpose(v.view(t, kv, d), 0, 1))
          k = torch.unsqueeze(torch.narrow(keys, 1, 0, position + t), 0)
          v = torch.unsqueeze(torch.narrow(values, 1, 0, position + t), 0)
          q = torch.unsqueeze(q, 0)
          if t > 1 and position > 0:
              mask = torch.tril(torch.ones([t, position + t], dtype=11), position)
              y = torch.scaled_dot_product_attention(
                  q, k, v, mask, 0.0, False, scale=None, enable_gqa=True)
          else:
              y = torch.scaled_dot_product_attention(
                  q, k, v, None, 0.0, t > 1, scale=None, enable_gqa=True)
          y = torch.reshape(torch.transpose(torch.squeeze(y, 0), 0, 1), [t, heads * d])
          h = h + torch.linear(y, wo)
          x = torch.rms_norm(h, [h.size(1)], n2, eps)
          x = torch.silu(torch.linear(x, wgate)) * torch.linear(x, wup)
          return h + torch.linear(x, wdown)
      def scores(self, h, n, w, eps: float):
          return torch.linear(
              torch.rms_norm(torch.narrow(h, 0, h.size(0) - 1, 1), [h.size(1)], n, eps), w)
      """;

  /** Weights of a layer, then its keys and values. */
  private record Layer(List<Tensor> weights, Tensor keys, Tensor values) {}

  private final Script script = new Script(LLAMA);
  private final List<Layer> layers = new ArrayList<>();
  private final Tensor embedding;
  private final Tensor norm;
  private final Tensor output;
  private final Tensor cosines;
  private final Tensor sines;
  private final int heads;
  private final double epsilon;

  TorchDecoder(JsonObject request) throws IOException {
    torch.set_num_threads(request.get("threads").getAsInt());
    new NoGradGuard().retainReference(); // For the process' only thread, to its end.
    Path folder = Path.of(request.get("model").getAsString());
    JsonObject config =
        JsonParser.parseString(Files.readString(folder.resolve("config.json"))).getAsJsonObject();
    Safetensors file = Safetensors.open(folder.resolve("model.safetensors"));
    int capacity = request.get("capacity").getAsInt();
    heads = config.get("num_attention_heads").getAsInt();
    epsilon = config.get("rms_norm_eps").getAsDouble();
    int kvHeads = config.get("num_key_value_heads").getAsInt();
    int headDim = config.get("head_dim").getAsInt();
    for (int i = 0; i < config.get("num_hidden_layers").getAsInt(); i++) {
      layers.add(
          new Layer(
              weights(file, "model.layers." + i + "."),
              torch.zeros(kvHeads, capacity, headDim),
              torch.zeros(kvHeads, capacity, headDim)));
    }
    embedding = tensor(file, "model.embed_tokens.weight");
    norm = tensor(file, "model.norm.weight");
    output = file.has("lm_head.weight") ? tensor(file, "lm_head.weight") : embedding;
    float[] angles = new float[capacity * headDim / 2];
    double base = config.get("rope_theta").getAsDouble();
    for (int i = 0; i < angles.length; i++) {
      int pair = i % (headDim / 2);
      angles[i] = (float) (i / (headDim / 2) * Math.pow(base, -2.0 * pair / headDim));
    }
    Tensor turns = PyTorch.tensor(angles, capacity, headDim / 2);
    cosines = turns.cos();
    sines = turns.sin();
  }

  private static Tensor tensor(Safetensors file, String name) {
    return PyTorch.tensor(file.floats(name), file.shape(name));
  }

  private static List<Tensor> weights(Safetensors file, String prefix) {
    Tensor queries = tensor(file, prefix + "self_attn.q_proj.weight");
    Tensor keys = tensor(file, prefix + "self_attn.k_proj.weight");
    Tensor values = tensor(file, prefix + "self_attn.v_proj.weight");
    return List.of(
        tensor(file, prefix + "input_layernorm.weight"),
        torch.cat(new TensorVector(queries, keys, values), 0),
        tensor(file, prefix + "self_attn.o_proj.weight"),
        tensor(file, prefix + "post_attention_layernorm.weight"),
        tensor(file, prefix + "mlp.gate_proj.weight"),
        tensor(file, prefix + "mlp.up_proj.weight"),
        tensor(file, prefix + "mlp.down_proj.weight"));
  }

  @Override
  public float[] read(int[] tokens, int position) {
    long[] ids = new long[tokens.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokens[i];
    }
    try (PointerScope scope = new PointerScope();
        LongPointer pointer = new LongPointer(ids)) {
      Tensor idTensor =
          torch.from_blob(
              pointer, new long[] {ids.length}, new TensorOptions(torch.ScalarType.Long));
      Tensor h = script.call("embed", idTensor, embedding);
      for (Layer layer : layers) {
        List<Object> arguments = new ArrayList<>(List.of(h));
        arguments.addAll(layer.weights);
        arguments.addAll(
            List.of(layer.keys, layer.values, cosines, sines, position, heads, epsilon));
        h = script.call("layer", arguments.toArray());
      }
      Tensor scores = script.call("scores", h, norm, output, epsilon);
      float[] result = new float[Math.toIntExact(scores.numel())];
      new FloatPointer(scores.contiguous().data_ptr_float()).get(result);
      return result;
    }
  }
}
