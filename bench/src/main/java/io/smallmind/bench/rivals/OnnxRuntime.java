package io.smallmind.bench.rivals;

import io.smallmind.bench.formats.OnnxLlama;
import io.smallmind.bench.formats.OnnxMatmul;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** ONNX Runtime's Java artifact on its CPU provider, with models that the bench writes. */
final class OnnxRuntime extends JavaRival implements ModelRival {
  /** Uniform activations in blocks of 32, rounded to 8 bits. */
  private static final double INT8_ACTIVATIONS = 0.004;

  private final Path models;

  OnnxRuntime(RivalSettings rivals) {
    super(
        rivals,
        "ONNX Runtime",
        "OnnxRuntime",
        List.of("com.microsoft.onnxruntime:onnxruntime:" + Versions.of("onnxruntime")));
    models = rivals.folder().resolve("models");
  }

  @Override
  String description() {
    return "ONNX Runtime "
        + Versions.of("onnxruntime")
        + ", CPU provider: MatMul and Gemm; MatMulNBits with 4 and 8 bits, blocks of 32,"
        + " 8-bit activations";
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
    String model = OnnxMatmul.write(product).toString();
    return MatmulEngine.prepare(start(threads), product, threads, Map.of("model", model));
  }

  @Override
  public String refuses(String type) {
    return OnnxLlama.refuses(type);
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    Path model = OnnxLlama.of(setup.model(), models).resolve("onnx/model.onnx");
    return LineModelEngine.load(start(setup.threads()), model, setup);
  }
}
