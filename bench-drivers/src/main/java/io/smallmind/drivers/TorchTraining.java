package io.smallmind.drivers;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Trains a GPT-2 in TorchScript: forward pass, backward pass, AdamW. */
@SuppressWarnings("try") // A PointerScope frees what is made within it.
final class TorchTraining {
  private static final String GPT2 =
      """
      def embed(self, ids, wte, wpe, length: int):
          positions = torch.arange(length)
          h = torch.embedding(wte, ids).view(-1, length, wte.size(1))
          h = h + torch.embedding(wpe, positions)
          return h.view(-1, wte.size(1))
      def layer(self, h, g1, b1, wqkv, bqkv, wo, bo, g2, b2, wi, bi, wp, bp,
                length: int, heads: int):
          width = h.size(1)
          x = torch.layer_norm(h, [width], g1, b1)
          qkv = torch.linear(x, wqkv, bqkv).view(-1, length, 3, heads, width // heads)
          q, k, v = torch.unbind(torch.permute(qkv, [2, 0, 3, 1, 4]), 0)
          y = torch.scaled_dot_product_attention(q, k, v, None, 0.0, True)
          y = torch.reshape(torch.transpose(y, 1, 2), [-1, width])
          h = h + torch.linear(y, wo, bo)
          x = torch.layer_norm(h, [width], g2, b2)
          x = torch.gelu(torch.linear(x, wi, bi), approximate="tanh")
          return h + torch.linear(x, wp, bp)
      def loss(self, h, g, b, wte, targets):
          x = torch.linear(torch.layer_norm(h, [h.size(1)], g, b), wte)
          return torch.cross_entropy_loss(x, targets)
      """;
  private static final double DEVIATION = 0.02;

  private final Script script = new Script(GPT2);
  private final TensorVector parameters = new TensorVector();
  private final List<List<Tensor>> layers = new ArrayList<>();
  private final Tensor tokenEmbedding;
  private final Tensor positionEmbedding;
  private final Tensor normGain;
  private final Tensor normBias;
  private final AdamW optimizer;
  private final int context;
  private final int heads;

  private TorchTraining(JsonObject request) {
    torch.set_num_threads(request.get("threads").getAsInt());
    torch.manual_seed(request.get("seed").getAsLong());
    int width = request.get("length").getAsInt();
    context = request.get("context").getAsInt();
    heads = request.get("heads").getAsInt();
    tokenEmbedding = random(request.get("vocabulary").getAsInt(), width);
    positionEmbedding = random(request.get("positions").getAsInt(), width);
    for (int i = 0; i < request.get("layers").getAsInt(); i++) {
      layers.add(
          List.of(
              constant(1, width),
              constant(0, width),
              random(3L * width, width),
              constant(0, 3L * width),
              random(width, width),
              constant(0, width),
              constant(1, width),
              constant(0, width),
              random(4L * width, width),
              constant(0, 4L * width),
              random(width, 4L * width),
              constant(0, width)));
    }
    normGain = constant(1, width);
    normBias = constant(0, width);
    AdamWOptions options = new AdamWOptions(request.get("rate").getAsDouble());
    options.weight_decay().put(request.get("decay").getAsDouble());
    optimizer = new AdamW(parameters, options);
  }

  private Tensor random(long... shape) {
    Tensor tensor = torch.empty(shape);
    tensor.normal_(0, DEVIATION, new GeneratorOptional());
    return parameter(tensor);
  }

  private Tensor constant(double value, long length) {
    Tensor tensor = value == 0 ? torch.zeros(length) : torch.ones(length);
    return parameter(tensor);
  }

  private Tensor parameter(Tensor tensor) {
    tensor.requires_grad_(true);
    parameters.push_back(tensor);
    return tensor;
  }

  /** Does a step with sequences one after the other, and returns the loss before it. */
  private float step(long[] tokens, long[] targets) {
    try (PointerScope scope = new PointerScope()) {
      optimizer.zero_grad();
      Tensor h = script.call("embed", integers(tokens), tokenEmbedding, positionEmbedding, context);
      for (List<Tensor> layer : layers) {
        List<Object> arguments = new ArrayList<>(List.of(h));
        arguments.addAll(layer);
        arguments.addAll(List.of(context, heads));
        h = script.call("layer", arguments.toArray());
      }
      Tensor loss = script.call("loss", h, normGain, normBias, tokenEmbedding, integers(targets));
      loss.backward();
      optimizer.step();
      return loss.item_float();
    }
  }

  private static Tensor integers(long[] values) {
    LongPointer pointer = new LongPointer(values); // Freed by the scope of the step.
    return torch.from_blob(
        pointer, new long[] {values.length}, new TensorOptions(torch.ScalarType.Long));
  }

  /** Returns the requests that it answers: trainer (makes a network), step. */
  static Map<String, Requests.Handler> handlers() {
    Server server = new Server();
    return Map.of("trainer", server::trainer, "step", server::step);
  }

  /** Keeps the network between requests. */
  private static final class Server {
    private @Nullable TorchTraining training;

    JsonObject trainer(JsonObject request) {
      training = new TorchTraining(request);
      JsonObject answer = new JsonObject();
      long count = 0;
      for (Tensor parameter : training.parameters.get()) {
        count += parameter.numel();
      }
      answer.addProperty("parameters", count);
      return answer;
    }

    JsonObject step(JsonObject request) {
      if (training == null) {
        throw new IllegalStateException("there is no network yet");
      }
      long[] tokens = longs(request.getAsJsonArray("tokens"));
      long[] targets = longs(request.getAsJsonArray("targets"));
      long begin = System.nanoTime();
      float loss = training.step(tokens, targets);
      JsonObject answer = new JsonObject();
      answer.addProperty("nanos", System.nanoTime() - begin);
      answer.addProperty("loss", loss);
      return answer;
    }

    private static long[] longs(JsonArray array) {
      return array.asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    }
  }
}
