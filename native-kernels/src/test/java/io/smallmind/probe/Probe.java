package io.smallmind.probe;

import io.smallmind.Backend;
import io.smallmind.QuantizedMatrix;
import io.smallmind.error.BackendException;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The program that tests start in a JVM of its own: multiplies on the best backend, checks the
 * result against a plain loop, and prints what it ran on.
 */
public final class Probe {
  /** Exit code for a typed error. */
  public static final int BACKEND_ERROR = 3;

  private static final int ROWS = 5;
  private static final int OUTPUTS = 7;
  private static final int COLUMNS = 64;

  private static final int BLOCK_BYTES = 34;
  private static final short HALF_AS_F16 = 0x3800;

  private Probe() {}

  /** Prints the backend's name, a line RIGHT or WRONG for each matmul, and the explanation. */
  public static void main(String[] args) {
    try {
      Backend backend = Backend.best();
      System.out.println("BACKEND " + backend.name());
      float[] a = values(ROWS * COLUMNS, 31, 17);
      float[] b = values(COLUMNS * OUTPUTS, 13, 11);
      quantized(backend, a, b);
      floats(backend, a, b);
      System.out.println(backend.explain());
    } catch (BackendException e) {
      System.out.println("ERROR " + e.getMessage());
      System.exit(BACKEND_ERROR);
    }
  }

  /** Returns whole numbers below the modulus, so that all sums are exact. */
  private static float[] values(int length, int factor, int modulus) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = i * factor % modulus - modulus / 2;
    }
    return values;
  }

  private static void floats(Backend backend, float[] a, float[] b) {
    float[] c = new float[ROWS * OUTPUTS];
    backend.matmul(a, b, c, ROWS, OUTPUTS, COLUMNS);
    boolean right = true;
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < OUTPUTS; column++) {
        float sum = 0;
        for (int k = 0; k < COLUMNS; k++) {
          sum += a[row * COLUMNS + k] * b[k * OUTPUTS + column];
        }
        right &= c[row * OUTPUTS + column] == sum;
      }
    }
    System.out.println("F32 " + (right ? "RIGHT" : "WRONG"));
  }

  private static void quantized(Backend backend, float[] x, float[] weights) {
    float[] y = new float[ROWS * OUTPUTS];
    boolean right = true;
    MemorySegment blocks = blocks(weights);
    try (QuantizedMatrix w = QuantizedMatrix.ofBlocks(blocks, OUTPUTS, COLUMNS, TensorType.Q8_0)) {
      backend.matmul(x, w, y);
      float[] decoded = w.dequantize();
      for (int row = 0; row < ROWS; row++) {
        for (int output = 0; output < OUTPUTS; output++) {
          double sum = 0;
          double size = 0;
          for (int k = 0; k < COLUMNS; k++) {
            double product = (double) x[row * COLUMNS + k] * decoded[output * COLUMNS + k];
            sum += product;
            size += Math.abs(decoded[output * COLUMNS + k]);
          }
          // Activations are at most 8, and rounded to steps of 8/127.
          right &= Math.abs(y[row * OUTPUTS + output] - sum) <= size * 8 / 127;
        }
      }
    }
    System.out.println("Q8_0 " + (right ? "RIGHT" : "WRONG"));
  }

  /** Returns half of these whole numbers, as rows of weights in Q8_0. */
  private static MemorySegment blocks(float[] values) {
    MemorySegment blocks = MemorySegment.ofArray(new byte[values.length / 32 * BLOCK_BYTES]);
    for (int i = 0; i < values.length; i++) {
      long block = i / 32 * (long) BLOCK_BYTES;
      blocks.set(ValueLayout.JAVA_SHORT_UNALIGNED, block, HALF_AS_F16);
      blocks.set(ValueLayout.JAVA_BYTE, block + 2 + i % 32, (byte) values[i]);
    }
    return blocks;
  }
}
