package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The kernels of llama.cpp, called in the libraries that its npm package brings. */
final class Ggml extends JavaRival {
  /** Uniform activations in blocks of 32, rounded to 8 bits. */
  private static final double INT8_ACTIVATIONS = 0.004;

  /** The same in blocks of 256. */
  private static final double INT8_ACTIVATIONS_OF_K = 0.008;

  private static final double BF16_ACTIVATIONS = 0x1p-9;
  private static final double F16_ACTIVATIONS = 0x1p-12;

  private final NodeLlamaCpp llama;

  Ggml(RivalSettings rivals) {
    super(rivals, "ggml", "Ggml", List.of());
    llama = new NodeLlamaCpp(rivals);
  }

  @Override
  public String missing() {
    return llama.missing();
  }

  /** Its libraries come with llama.cpp. */
  @Override
  public void install(Consumer<String> log) throws IOException {
    llama.install(log);
  }

  @Override
  String description() {
    return "the kernels of " + llama.detail() + "; Q4_0 rearranged";
  }

  @Override
  public boolean multiplies(TensorType type) {
    return switch (type) {
      case F32, F16, BF16, Q4_0, Q8_0, Q4_K, Q6_K -> true;
      default -> false;
    };
  }

  @Override
  public double noise(TensorType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> F16_ACTIVATIONS;
      case BF16 -> BF16_ACTIVATIONS;
      case Q4_K, Q6_K -> INT8_ACTIVATIONS_OF_K;
      default -> INT8_ACTIVATIONS;
    };
  }

  @Override
  public MatmulEngine openMatmul(Product product, int threads) throws IOException {
    Path libraries = llama.libraries().toAbsolutePath();
    return MatmulEngine.prepare(
        start(threads, List.of("-Dbench.ggml=" + libraries)), product, threads, Map.of());
  }
}
