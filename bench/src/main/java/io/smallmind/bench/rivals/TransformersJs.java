package io.smallmind.bench.rivals;

import io.smallmind.bench.formats.OnnxLlama;
import io.smallmind.bench.formats.OnnxMatmul;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Transformers.js in Node, which computes by ONNX Runtime, with models that the bench writes. */
final class TransformersJs implements MatmulRival, ModelRival {
  private static final String VERSION = "4.3.1";
  private static final String PACKAGE = "@huggingface/transformers";
  private static final String SCRIPT = "transformers.mjs";

  /** Uniform activations in blocks of 32, rounded to 8 bits. */
  private static final double INT8_ACTIVATIONS = 0.004;

  private final NodePackages packages;
  private final Path models;

  TransformersJs(RivalSettings rivals) {
    packages = new NodePackages(rivals, "TransformersJs");
    models = rivals.folder().resolve("models");
  }

  @Override
  public String name() {
    return "Transformers.js";
  }

  @Override
  public String missing() {
    return packages.missing(PACKAGE);
  }

  @Override
  public String detail() {
    if (!missing().isEmpty()) {
      return missing();
    }
    return "Transformers.js "
        + packages.version(PACKAGE)
        + " in Node, on onnxruntime-node "
        + packages.version("onnxruntime-node");
  }

  /** Without the scripts, that would fetch what is for other processors than the CPU. */
  @Override
  public void install(Consumer<String> log) throws IOException {
    packages.install(log, List.of("--ignore-scripts", PACKAGE + "@" + VERSION));
  }

  @Override
  public boolean multiplies(TensorType type) {
    return OnnxMatmul.supports(type);
  }

  @Override
  public double noise(TensorType type) {
    return type == TensorType.F32 ? 0 : INT8_ACTIVATIONS;
  }

  @Override
  public MatmulEngine openMatmul(Product product, int threads) throws IOException {
    Path model = OnnxMatmul.write(product);
    // A type is all that it wants to know; this one takes inputs of any name.
    Files.writeString(model.resolveSibling("config.json"), "{\"model_type\": \"bert\"}");
    return MatmulEngine.prepare(
        packages.start(SCRIPT), product, threads, Map.of("model", model.toString()));
  }

  @Override
  public String refuses(String type) {
    return OnnxLlama.refuses(type);
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    Path folder = OnnxLlama.of(setup.model(), models);
    return LineModelEngine.load(packages.start(SCRIPT), folder, setup);
  }
}
