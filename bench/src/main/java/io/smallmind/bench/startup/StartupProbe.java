package io.smallmind.bench.startup;

import io.smallmind.Backend;
import io.smallmind.QuantizedMatrix;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.tensor.TensorType;
import java.util.Arrays;

/**
 * The program of a fresh process: does one step and prints the nanoseconds since it began, and
 * whether the result was right.
 */
public final class StartupProbe {
  private static final int SIZE = 256;

  private StartupProbe() {}

  /**
   * Runs.
   *
   * @param args the name of a {@link Startup}
   */
  public static void main(String[] args) {
    long begin = System.nanoTime();
    boolean right =
        switch (Startup.valueOf(args[0])) {
          case JVM -> true;
          case LIBRARY -> KernelRegistry.get().choose().name().length() > 0;
          case PRODUCT -> product();
          case GEMM -> gemm();
        };
    long nanos = System.nanoTime() - begin;
    System.out.println(nanos + " " + right);
  }

  /** Sums of halves: whatever the rounding, near SIZE ÷ 2. */
  private static boolean product() {
    float[] ones = new float[SIZE];
    Arrays.fill(ones, 1);
    float[] weights = new float[SIZE * SIZE];
    Arrays.fill(weights, 0.5f);
    float[] y = new float[SIZE];
    try (QuantizedMatrix matrix = QuantizedMatrix.quantize(weights, SIZE, SIZE, TensorType.Q4_0)) {
      Backend.best().matmul(ones, matrix, y);
    }
    return near(y);
  }

  private static boolean gemm() {
    float[] ones = new float[SIZE * SIZE];
    Arrays.fill(ones, 1);
    float[] halves = new float[SIZE * SIZE];
    Arrays.fill(halves, 0.5f);
    float[] y = new float[SIZE * SIZE];
    Backend.best().matmul(ones, halves, y, SIZE, SIZE, SIZE);
    return near(y);
  }

  private static boolean near(float[] values) {
    for (float value : values) {
      if (!(Math.abs(value - SIZE / 2f) < 1)) {
        return false;
      }
    }
    return true;
  }
}
