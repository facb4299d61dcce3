package io.smallmind.kernels;

import java.util.Arrays;

/**
 * The block of a product that the scalar backend works on: (ROWS, COLUMNS) sums over slices of
 * DEPTH products.
 *
 * <p>The sums of up to {@value #CARRY} products run in F32, and then join a second F32 sum, so that
 * the rounding error grows with K / {@value #CARRY} rather than with K.
 *
 * <p>Every row is an array of its own, read at the one index of the innermost loop: the form that
 * C2 turns into vector code. With offsets into one large array, it would have to prove that what it
 * writes doesn't overlap what it reads, and gives up.
 */
final class ScalarTile {
  static final int ROWS = 128;
  static final int COLUMNS = 256;
  static final int DEPTH = 32;
  static final int CARRY = 256;

  private static final int ROWS_AT_ONCE = 4;
  private static final ThreadLocal<ScalarTile> OF_THREAD = ThreadLocal.withInitial(ScalarTile::new);

  /** The left side (ROWS, DEPTH) row-major. Unused places must hold zeros, or finite values. */
  final float[] left = new float[ROWS * DEPTH];

  /** The right side (DEPTH, COLUMNS). Places of unused depth must hold zeros. */
  final float[][] right = new float[DEPTH][COLUMNS];

  /** The sums (ROWS, COLUMNS), complete after {@link #carry}. */
  final float[][] total = new float[ROWS][COLUMNS];

  /** Decoded weights (COLUMNS, CARRY) row-major, or lines of a matrix to transpose. */
  final float[] decoded = new float[COLUMNS * CARRY];

  private final float[][] sum = new float[ROWS][COLUMNS];

  static ScalarTile ofThread() {
    return OF_THREAD.get();
  }

  /** Sets the sums of the first rows to 0. */
  void clear(int rows) {
    for (int row = 0; row < rows; row++) {
      Arrays.fill(total[row], 0);
    }
    for (int row = 0; row < roundUp(rows); row++) {
      Arrays.fill(sum[row], 0);
    }
  }

  /** Adds left · right to the sums of the first rows and columns. */
  void multiply(int rows, int columns) {
    for (int i = 0; i < rows; i += ROWS_AT_ONCE) {
      int a = i * DEPTH;
      for (int p = 0; p < DEPTH; p += 2, a += 2) {
        addProducts(
            left[a],
            left[a + 1],
            left[a + DEPTH],
            left[a + DEPTH + 1],
            left[a + 2 * DEPTH],
            left[a + 2 * DEPTH + 1],
            left[a + 3 * DEPTH],
            left[a + 3 * DEPTH + 1],
            right[p],
            right[p + 1],
            sum[i],
            sum[i + 1],
            sum[i + 2],
            sum[i + 3],
            columns);
      }
    }
  }

  private static void addProducts(
      float a00,
      float a01,
      float a10,
      float a11,
      float a20,
      float a21,
      float a30,
      float a31,
      float[] b0,
      float[] b1,
      float[] c0,
      float[] c1,
      float[] c2,
      float[] c3,
      int columns) {
    for (int j = 0; j < columns; j++) {
      c0[j] = c0[j] + a00 * b0[j] + a01 * b1[j];
      c1[j] = c1[j] + a10 * b0[j] + a11 * b1[j];
      c2[j] = c2[j] + a20 * b0[j] + a21 * b1[j];
      c3[j] = c3[j] + a30 * b0[j] + a31 * b1[j];
    }
  }

  /** Adds the sums of the last {@link #CARRY} products to the totals. */
  void carry(int rows) {
    for (int row = 0; row < roundUp(rows); row++) {
      addAndClear(sum[row], total[row]);
    }
  }

  private static void addAndClear(float[] from, float[] to) {
    for (int j = 0; j < COLUMNS; j++) {
      to[j] += from[j];
    }
    Arrays.fill(from, 0);
  }

  private static int roundUp(int rows) {
    return (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
  }
}
