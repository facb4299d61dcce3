package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** FP32 gemm in plain Java: {@link Kernels#gemm}. */
final class ScalarGemm {
  private ScalarGemm() {}

  static void gemm(
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k,
      float alpha,
      MemorySegment a,
      long aOffset,
      long lda,
      MemorySegment b,
      long bOffset,
      long ldb,
      float beta,
      MemorySegment c,
      long cOffset,
      long ldc) {
    ScalarTile tile = ScalarTile.ofThread();
    for (long j = 0; j < n; j += ScalarTile.COLUMNS) {
      int columns = (int) Math.min(ScalarTile.COLUMNS, n - j);
      for (long i = 0; i < m; i += ScalarTile.ROWS) {
        int rows = (int) Math.min(ScalarTile.ROWS, m - i);
        tile.clear(rows);
        for (long p = 0; p < k; p += ScalarTile.DEPTH) {
          int depth = (int) Math.min(ScalarTile.DEPTH, k - p);
          loadLeft(tile, transposeA, a, aOffset, lda, i, rows, p, depth);
          loadRight(tile, transposeB, b, bOffset, ldb, j, columns, p, depth);
          tile.multiply(rows, columns);
          if ((p + ScalarTile.DEPTH) % ScalarTile.CARRY == 0) {
            tile.carry(rows);
          }
        }
        tile.carry(rows);
        for (int row = 0; row < rows; row++) {
          long offset = cOffset + 4 * ((i + row) * ldc + j);
          store(alpha, tile.total[row], beta, c, offset, columns, tile.decoded);
        }
      }
    }
  }

  private static void loadLeft(
      ScalarTile tile,
      boolean transpose,
      MemorySegment a,
      long offset,
      long lda,
      long i,
      int rows,
      long p,
      int depth) {
    float[] left = tile.left;
    if (depth < ScalarTile.DEPTH) {
      Arrays.fill(left, 0);
    }
    if (!transpose) {
      for (int row = 0; row < rows; row++) {
        load(a, offset + 4 * ((i + row) * lda + p), left, row * ScalarTile.DEPTH, depth);
      }
      return;
    }
    for (int q = 0; q < depth; q++) {
      load(a, offset + 4 * ((p + q) * lda + i), tile.decoded, 0, rows);
      for (int row = 0; row < rows; row++) {
        left[row * ScalarTile.DEPTH + q] = tile.decoded[row];
      }
    }
  }

  private static void loadRight(
      ScalarTile tile,
      boolean transpose,
      MemorySegment b,
      long offset,
      long ldb,
      long j,
      int columns,
      long p,
      int depth) {
    float[][] right = tile.right;
    if (transpose) {
      for (int column = 0; column < columns; column++) {
        load(b, offset + 4 * ((j + column) * ldb + p), tile.decoded, 0, depth);
        for (int q = 0; q < depth; q++) {
          right[q][column] = tile.decoded[q];
        }
      }
    } else {
      for (int q = 0; q < depth; q++) {
        load(b, offset + 4 * ((p + q) * ldb + j), right[q], 0, columns);
      }
    }
    for (int q = depth; q < ScalarTile.DEPTH; q++) {
      Arrays.fill(right[q], 0);
    }
  }

  private static void load(MemorySegment from, long offset, float[] to, int index, int length) {
    MemorySegment.copy(from, JAVA_FLOAT_UNALIGNED, offset, to, index, length);
  }

  private static void store(
      float alpha,
      float[] product,
      float beta,
      MemorySegment c,
      long offset,
      int columns,
      float[] line) {
    if (beta == 0) {
      for (int j = 0; j < columns; j++) {
        line[j] = alpha * product[j];
      }
    } else {
      load(c, offset, line, 0, columns);
      for (int j = 0; j < columns; j++) {
        line[j] = alpha * product[j] + beta * line[j];
      }
    }
    MemorySegment.copy(line, 0, c, JAVA_FLOAT_UNALIGNED, offset, columns);
  }
}
