package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * FP32 gemm on the Vector API, blocked as in BLIS (Van Zee and van de Geijn 2015): panels of B in
 * the second-level cache, rows of A in the first.
 */
final class VectorGemm {
  private static final int L = VectorTile.L;
  private static final int PANEL = VectorTile.PANEL;

  private VectorGemm() {}

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
    if (k == 0) {
      ScalarGemm.gemm(
          transposeA,
          transposeB,
          m,
          n,
          0,
          alpha,
          a,
          aOffset,
          lda,
          b,
          bOffset,
          ldb,
          beta,
          c,
          cOffset,
          ldc);
      return;
    }
    VectorTile tile = VectorTile.ofThread();
    for (long j = 0; j < n; j += VectorTile.COLUMNS) {
      int columns = (int) Math.min(VectorTile.COLUMNS, n - j);
      for (long p = 0; p < k; p += VectorTile.DEPTH) {
        int depth = (int) Math.min(VectorTile.DEPTH, k - p);
        if (transposeB) {
          loadTransposedPanels(tile, b, bOffset + 4 * (j * ldb + p), 4 * ldb, columns, depth);
        } else {
          loadPanels(tile, b, bOffset + 4 * (p * ldb + j), 4 * ldb, columns, depth);
        }
        float keep = p == 0 ? beta : 1;
        for (long i = 0; i < m; i += VectorTile.ROWS) {
          int rows = (int) Math.min(VectorTile.ROWS, m - i);
          if (transposeA) {
            loadTransposedRows(tile, a, aOffset + 4 * (p * lda + i), 4 * lda, rows, depth);
          } else {
            loadRows(tile, a, aOffset + 4 * (i * lda + p), 4 * lda, rows, depth);
          }
          for (int q = 0; q < columns; q += PANEL) {
            tile.multiply(
                rows,
                q / PANEL,
                Math.min(PANEL, columns - q),
                depth,
                alpha,
                keep,
                c,
                cOffset + 4 * (i * ldc + j + q),
                4 * ldc);
          }
        }
      }
    }
  }

  // Strides below are distances of stored rows, in bytes.

  static void loadRows(
      VectorTile tile, MemorySegment a, long offset, long stride, int rows, int depth) {
    for (int row = 0; row < rows; row++) {
      MemorySegment.copy(
          a,
          JAVA_FLOAT_UNALIGNED,
          offset + row * stride,
          tile.left,
          row * VectorTile.LEFT_STRIDE,
          depth);
    }
  }

  private static void loadTransposedRows(
      VectorTile tile, MemorySegment a, long offset, long stride, int rows, int depth) {
    float[] left = tile.left;
    float[] line = tile.line;
    for (int p = 0; p < depth; p++) {
      MemorySegment.copy(a, JAVA_FLOAT_UNALIGNED, offset + p * stride, line, 0, rows);
      for (int row = 0; row < rows; row++) {
        left[row * VectorTile.LEFT_STRIDE + p] = line[row];
      }
    }
  }

  private static void loadPanels(
      VectorTile tile, MemorySegment b, long offset, long stride, int columns, int depth) {
    b = OffHeap.of(b);
    float[] right = tile.right;
    int whole = columns / PANEL;
    for (int p = 0; p < depth; p++) {
      long from = offset + p * stride;
      for (int panel = 0; panel < whole; panel++) {
        long at = from + 4L * panel * PANEL;
        int to = (panel * depth + p) * PANEL;
        FloatVector.fromMemorySegment(VectorTile.S, b, at, LITTLE_ENDIAN).intoArray(right, to);
        FloatVector.fromMemorySegment(VectorTile.S, b, at + 4L * L, LITTLE_ENDIAN)
            .intoArray(right, to + L);
      }
    }
    int rest = columns - whole * PANEL;
    for (int p = 0; rest > 0 && p < depth; p++) {
      long from = offset + p * stride + 4L * whole * PANEL;
      int to = (whole * depth + p) * PANEL;
      MemorySegment.copy(b, JAVA_FLOAT_UNALIGNED, from, right, to, rest);
    }
  }

  static void loadTransposedPanels(
      VectorTile tile, MemorySegment b, long offset, long stride, int columns, int depth) {
    float[] right = tile.right;
    float[] line = tile.line;
    for (int column = 0; column < columns; column++) {
      MemorySegment.copy(b, JAVA_FLOAT_UNALIGNED, offset + column * stride, line, 0, depth);
      int to = column / PANEL * depth * PANEL + column % PANEL;
      for (int p = 0; p < depth; p++) {
        right[to + p * PANEL] = line[p];
      }
    }
  }
}
