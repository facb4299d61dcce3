package io.smallmind.natives;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A small matmul with a known result, to be done before a library that was just loaded is trusted.
 * All its values are small integers, so that every order of summation gives the same sums.
 */
final class SampleMatmul {
  // No multiples of most tiles; enough for what multiplies many rows at once, and for a few.
  private static final int X_ROWS = 33;
  private static final int FEW_ROWS = 7;
  private static final int W_ROWS = 19;
  private static final int COLUMNS = 64;

  private static final short HALF_AS_F16 = 0x3800;

  private SampleMatmul() {}

  /**
   * Multiplies with F32 and with quantized weights.
   *
   * @throws IllegalStateException if a result is wrong
   */
  static void check(Kernels kernels) {
    try (Arena arena = Arena.ofConfined();
        Team team = new Team(1)) {
      Matrix x = matrix(arena, TensorType.F32, X_ROWS);
      Matrix floats = matrix(arena, TensorType.F32, W_ROWS);
      Matrix blocks = matrix(arena, TensorType.Q8_0, W_ROWS);
      fill(x, floats, blocks);
      Matrix y =
          Matrix.of(arena.allocate(X_ROWS * W_ROWS * 4L, 64), TensorType.F32, X_ROWS, W_ROWS);
      try (Activations activations = new Activations(kernels, x)) {
        kernels.quantize(activations, 0, X_ROWS);
        for (Matrix weights : new Matrix[] {floats, blocks}) {
          try (PackedWeights packed = PackedWeights.pack(kernels, team, weights)) {
            for (int rows : new int[] {X_ROWS, FEW_ROWS}) {
              y.segment().fill((byte) -1);
              kernels.matmul(activations, 0, rows, packed, 0, W_ROWS, y);
              compare(weights.type(), y, rows);
            }
          }
        }
      }
    }
  }

  private static Matrix matrix(Arena arena, TensorType type, int rows) {
    MemorySegment segment = arena.allocate(type.rowBytes(COLUMNS) * rows, 64);
    return Matrix.of(segment, type, rows, COLUMNS);
  }

  /** Returns an activation: each block's largest is 127, so that its scale is 1. */
  private static int x(int row, int column) {
    return column % 32 == 0 ? 127 : (row * 31 + column * 7) % 127 - 63;
  }

  /** Returns twice a weight. */
  private static int w(int row, int column) {
    return (row * 13 + column * 5) % 201 - 100;
  }

  private static void fill(Matrix x, Matrix floats, Matrix blocks) {
    for (int column = 0; column < COLUMNS; column++) {
      for (int row = 0; row < X_ROWS; row++) {
        set(x, row, column, x(row, column));
      }
      for (int row = 0; row < W_ROWS; row++) {
        set(floats, row, column, w(row, column) * 0.5f);
        long block = blocks.rowOffset(row) + column / 32 * 34L;
        blocks.segment().set(ValueLayout.JAVA_SHORT_UNALIGNED, block, HALF_AS_F16);
        blocks.segment().set(ValueLayout.JAVA_BYTE, block + 2 + column % 32, (byte) w(row, column));
      }
    }
  }

  private static void set(Matrix matrix, int row, int column, float value) {
    matrix.segment().set(ValueLayout.JAVA_FLOAT, matrix.rowOffset(row) + column * 4L, value);
  }

  private static void compare(TensorType type, Matrix y, int rows) {
    // Some, since all of this is interpreted; in every place of tiles of 2 and 4.
    for (int row = rows - 1; row >= 0; row -= 5) {
      for (int column = 0; column < W_ROWS; column++) {
        int sum = 0;
        for (int k = 0; k < COLUMNS; k++) {
          sum += x(row, k) * w(column, k);
        }
        float actual = y.segment().get(ValueLayout.JAVA_FLOAT, y.rowOffset(row) + column * 4L);
        if (actual != sum * 0.5f) {
          throw new IllegalStateException(
              "sample matmul with " + type + " gave " + actual + " instead of " + sum * 0.5f);
        }
      }
    }
  }
}
