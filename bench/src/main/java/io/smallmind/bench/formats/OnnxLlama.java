package io.smallmind.bench.formats;

import io.smallmind.gguf.GgufFile;
import io.smallmind.model.ModelConfig;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes Llama-shaped models as ONNX models, with the operators that ONNX Runtime has for them and
 * the names that Hugging Face's exports have. Inputs: input_ids and attention_mask (1, length),
 * past_key_values.LAYER.key and .value (1, kvHeads, length, headDim); outputs: the last token's
 * logits (1, 1, vocabulary), and present.LAYER.key and .value.
 */
public final class OnnxLlama {
  /** Names folders, so that another generation of them is not mistaken for this one. */
  private static final String GENERATION = "1";

  private static final Set<String> TYPES = Set.of("F32", "Q4_0", "Q8_0");
  private static final int LONGEST_CONTEXT = 8192;

  private final LlamaTensors tensors;
  private final ModelConfig config;
  private final boolean quantized;
  private final OnnxModel model = new OnnxModel();
  private final OnnxData data;

  private OnnxLlama(LlamaTensors tensors, Path dataFile) throws IOException {
    this.tensors = tensors;
    config = tensors.config();
    TensorType type = tensors.mainType();
    quantized = PackedBits.of(type) > 0;
    if (!quantized && type != TensorType.F32) {
      throw new IOException("ONNX models are written in F32, Q4_0 and Q8_0, not " + type);
    }
    data = new OnnxData(model, tensors, dataFile);
  }

  /**
   * Returns the folder of a model, written if it is not there: config.json, onnx/model.onnx and its
   * weights.
   *
   * @param cache where folders are kept
   * @throws IOException if it can't be converted, with the reason
   */
  public static Path of(Path gguf, Path cache) throws IOException {
    String name = String.valueOf(gguf.getFileName()).replaceFirst("\\.gguf$", "");
    Path folder = cache.resolve("onnx").resolve(name + "-" + GENERATION);
    Path done = folder.resolve("onnx/model.onnx");
    if (Files.exists(done)
        && Files.getLastModifiedTime(done).compareTo(Files.getLastModifiedTime(gguf)) >= 0) {
      return folder;
    }
    try (GgufFile file = GgufFile.open(gguf)) {
      Files.createDirectories(folder.resolve("onnx"));
      LlamaTensors tensors = new LlamaTensors(file);
      Files.writeString(folder.resolve("config.json"), HuggingFaceConfig.of(tensors));
      OnnxLlama llama = new OnnxLlama(tensors, folder.resolve("onnx/model.onnx_data"));
      try (llama.data) {
        llama.graph();
      }
      Path unfinished = folder.resolve("onnx/model.part");
      Files.write(unfinished, llama.model.toBytes());
      Files.move(unfinished, done, StandardCopyOption.REPLACE_EXISTING);
    }
    return folder;
  }

  /** Returns why models of a type are not written; empty if they are. */
  public static String refuses(String type) {
    return TYPES.contains(type) ? "" : "runs models in F32, Q4_0 and Q8_0 here";
  }

  private void graph() throws IOException {
    model
        .input("input_ids", OnnxModel.Type.INT64, 1, "tokens")
        .input("attention_mask", OnnxModel.Type.INT64, 1, "context")
        .output("logits", OnnxModel.Type.FLOAT, 1, 1, config.vocabularySize());
    lengths();
    rotations();
    data.matrix("embedding", List.of("token_embd.weight"));
    node("Gather", List.of("embedding", "input_ids"), "h");
    String before = "h";
    String added = "";
    for (int layer = 0; layer < config.layers(); layer++) {
      String attention = attention(layer, before, added);
      before = "l" + layer + ".middle";
      added = feedForward(layer, "l" + layer + ".h", attention);
    }
    norm("output_norm", before, added, "final", "final.h");
    model.constant("last", new long[] {1}, -1);
    model.constant("end", new long[] {1}, Long.MAX_VALUE);
    model.constant("axis", new long[] {1}, 1);
    node("Slice", List.of("final", "last", "end", "axis"), "final.last");
    multiply("final.last", List.of(tensors.output()), "logits");
  }

  /** The lengths that attention wants, from the mask: tokens in the cache less one, and in all. */
  private void lengths() {
    model.constant("one", new long[] {1}, 1);
    model.constant("index", new long[0], 1);
    Map<String, Object> toInt = Map.of("to", 6);
    model.node(
        "",
        "ReduceSum",
        List.of("attention_mask", "one"),
        List.of("length"),
        Map.of("keepdims", 0));
    node("Sub", List.of("length", "one"), "lengthLessOne");
    model.node("", "Cast", List.of("lengthLessOne"), List.of("seqlens_k"), toInt);
    node("Shape", List.of("attention_mask"), "maskShape");
    node("Gather", List.of("maskShape", "index"), "maskLength");
    model.node("", "Cast", List.of("maskLength"), List.of("total"), toInt);
  }

  private void rotations() throws IOException {
    int positions = Math.min(config.contextLength(), LONGEST_CONTEXT);
    int pairs = config.headDim() / 2;
    float[] cosines = new float[positions * pairs];
    float[] sines = new float[positions * pairs];
    for (int i = 0; i < cosines.length; i++) {
      double frequency = Math.pow(config.rope().base(), -2.0 * (i % pairs) / config.headDim());
      double angle = i / pairs * frequency;
      cosines[i] = (float) Math.cos(angle);
      sines[i] = (float) Math.sin(angle);
    }
    data.floats("cosines", cosines, positions, pairs);
    data.floats("sines", sines, positions, pairs);
  }

  private String attention(int layer, String before, String added) throws IOException {
    String prefix = "blk." + layer + ".";
    String at = "l" + layer + ".";
    norm(prefix + "attn_norm", before, added, at + "x", at + "h");
    multiply(
        at + "x",
        List.of(prefix + "attn_q.weight", prefix + "attn_k.weight", prefix + "attn_v.weight"),
        at + "qkv");
    String past = "past_key_values." + layer;
    String present = "present." + layer;
    for (String kind : List.of(".key", ".value")) {
      model
          .input(past + kind, OnnxModel.Type.FLOAT, 1, config.kvHeads(), "past", config.headDim())
          .output(
              present + kind, OnnxModel.Type.FLOAT, 1, config.kvHeads(), "held", config.headDim());
    }
    model.node(
        OnnxModel.MICROSOFT,
        "GroupQueryAttention",
        List.of(
            at + "qkv",
            "",
            "",
            past + ".key",
            past + ".value",
            "seqlens_k",
            "total",
            "cosines",
            "sines"),
        List.of(at + "attention", present + ".key", present + ".value"),
        Map.of(
            "num_heads",
            config.heads(),
            "kv_num_heads",
            config.kvHeads(),
            "do_rotary",
            1,
            "scale",
            config.attentionScale()));
    multiply(at + "attention", List.of(prefix + "attn_output.weight"), at + "attended");
    return at + "attended";
  }

  private String feedForward(int layer, String before, String added) throws IOException {
    String prefix = "blk." + layer + ".";
    String at = "l" + layer + ".";
    norm(prefix + "ffn_norm", before, added, at + "y", at + "middle");
    multiply(at + "y", List.of(prefix + "ffn_gate.weight"), at + "gate");
    multiply(at + "y", List.of(prefix + "ffn_up.weight"), at + "up");
    model.node(
        OnnxModel.MICROSOFT,
        "QuickGelu", // x · sigmoid(alpha · x)
        List.of(at + "gate"),
        List.of(at + "silu"),
        Map.of("alpha", 1f));
    node("Mul", List.of(at + "silu", at + "up"), at + "inner");
    multiply(at + "inner", List.of(prefix + "ffn_down.weight"), at + "down");
    return at + "down";
  }

  /** Normalizes a sum, which is kept under the name {@code sum}. */
  private void norm(String tensor, String before, String added, String out, String sum)
      throws IOException {
    data.vector(tensor, tensor + ".weight");
    Map<String, Object> epsilon = Map.of("epsilon", config.normEpsilon());
    if (added.isEmpty()) {
      model.node(
          "", "SimplifiedLayerNormalization", List.of(before, tensor), List.of(out), epsilon);
      node("Identity", List.of(before), sum);
    } else {
      model.node(
          OnnxModel.MICROSOFT,
          "SkipSimplifiedLayerNormalization",
          List.of(before, added, tensor),
          List.of(out, "", "", sum),
          epsilon);
    }
  }

  private void multiply(String input, List<String> matrices, String output) throws IOException {
    String weights = output + ".w";
    if (quantized) {
      int bits = data.bits(weights, matrices);
      long n = matrices.stream().mapToLong(tensors::rows).sum();
      OnnxMatmul.multiplyBits(
          model, input, weights, output, bits, n, tensors.columns(matrices.getFirst()));
    } else {
      data.matrix(weights, matrices);
      model.node(
          OnnxModel.MICROSOFT,
          "FusedMatMul",
          List.of(input, weights),
          List.of(output),
          Map.of("transB", 1));
    }
  }

  private void node(String operator, List<String> ins, String out) {
    model.node("", operator, ins, List.of(out), Map.of());
  }
}
