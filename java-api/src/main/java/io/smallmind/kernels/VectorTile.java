package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The micro-kernel of the Vector API backend: up to {@value #ROWS} rows times a panel of two
 * vectors of columns, all sums in registers.
 *
 * <p>The left side lies row by row as it came, because each of its values is broadcast anyway; the
 * stride is a constant, so that one register addresses all rows, and no multiple of a power of two,
 * so that the rows don't compete for the same cache lines. The right side lies in panels: (depth,
 * PANEL) row-major. 24 sums fill the registers of AVX-512 and NEON; with the 16 of AVX2 some spill,
 * and it is still faster than a smaller tile.
 */
final class VectorTile {
  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  static final int L = S.length();

  /** Rows of a full tile. */
  static final int ROWS = 12;

  /** Columns of a panel. */
  static final int PANEL = 2 * L;

  /** Longest sum in one go; the left side's rows stay in the first-level cache. */
  static final int DEPTH = 512;

  /** Distance of the left side's rows, in elements. */
  static final int LEFT_STRIDE = DEPTH + 32;

  /** Columns of the right side that stay in the second-level cache: a multiple of every PANEL. */
  static final int COLUMNS = 256;

  private static final int FEW_ROWS = 6;
  private static final ThreadLocal<VectorTile> OF_THREAD = ThreadLocal.withInitial(VectorTile::new);

  /** The left side (ROWS, LEFT_STRIDE) row-major; unused rows may hold anything. */
  final float[] left = new float[ROWS * LEFT_STRIDE];

  /** The right side (COLUMNS / PANEL, depth, PANEL); unused columns may hold anything. */
  final float[] right = new float[DEPTH * COLUMNS];

  /** Room for lines on their way in or out. */
  final float[] line = new float[Math.max(DEPTH, COLUMNS)];

  /** The product (ROWS, PANEL) row-major. */
  private final float[] product = new float[ROWS * PANEL];

  static VectorTile ofThread() {
    return OF_THREAD.get();
  }

  /**
   * Adds the L values from an index on, always in the same order: the sum of a vector's own lanes
   * has none, and differs between interpreted and compiled code.
   */
  static float sum(float[] lanes, int index) {
    float sum = 0;
    for (int i = index; i < index + L; i += 4) {
      sum += (lanes[i] + lanes[i + 1]) + (lanes[i + 2] + lanes[i + 3]);
    }
    return sum;
  }

  /**
   * Computes C = alpha · left · panel + beta · C for a tile of C.
   *
   * @param rows 1 to ROWS
   * @param panel number of the panel
   * @param columns how many columns of the panel exist in C
   * @param depth length of the sums, also of every panel: at most DEPTH
   * @param beta 0 if C must not be read
   * @param cStride distance of C's rows, in bytes
   */
  void multiply(
      int rows,
      int panel,
      int columns,
      int depth,
      float alpha,
      float beta,
      MemorySegment c,
      long cOffset,
      long cStride) {
    int b = panel * depth * PANEL;
    if (rows > FEW_ROWS) {
      twelveRows(right, b, depth);
    } else {
      sixRows(right, b, depth);
    }
    if (columns == PANEL) {
      storeWhole(rows, alpha, beta, c, cOffset, cStride);
    } else {
      storePart(rows, columns, alpha, beta, c, cOffset, cStride);
    }
  }

  private void storeWhole(
      int rows, float alpha, float beta, MemorySegment c, long cOffset, long cStride) {
    c = OffHeap.of(c);
    for (int row = 0; row < rows; row++) {
      long offset = cOffset + row * cStride;
      FloatVector a = FloatVector.fromArray(S, product, row * PANEL).mul(alpha);
      FloatVector b = FloatVector.fromArray(S, product, row * PANEL + L).mul(alpha);
      if (beta != 0) {
        FloatVector factor = FloatVector.broadcast(S, beta);
        a = FloatVector.fromMemorySegment(S, c, offset, LITTLE_ENDIAN).fma(factor, a);
        b = FloatVector.fromMemorySegment(S, c, offset + 4L * L, LITTLE_ENDIAN).fma(factor, b);
      }
      a.intoMemorySegment(c, offset, LITTLE_ENDIAN);
      b.intoMemorySegment(c, offset + 4L * L, LITTLE_ENDIAN);
    }
  }

  private void storePart(
      int rows, int columns, float alpha, float beta, MemorySegment c, long cOffset, long cStride) {
    for (int row = 0; row < rows; row++) {
      long offset = cOffset + row * cStride;
      if (beta == 0) {
        Arrays.fill(line, 0, columns, 0);
      } else {
        MemorySegment.copy(c, JAVA_FLOAT_UNALIGNED, offset, line, 0, columns);
      }
      for (int j = 0; j < columns; j++) {
        line[j] = alpha * product[row * PANEL + j] + beta * line[j];
      }
      MemorySegment.copy(line, 0, c, JAVA_FLOAT_UNALIGNED, offset, columns);
    }
  }

  /** Multiplies twelve rows of the left side by a panel. */
  private void twelveRows(float[] b, int bOffset, int depth) {
    float[] a = left;
    FloatVector c0a = FloatVector.zero(S);
    FloatVector c0b = FloatVector.zero(S);
    FloatVector c1a = FloatVector.zero(S);
    FloatVector c1b = FloatVector.zero(S);
    FloatVector c2a = FloatVector.zero(S);
    FloatVector c2b = FloatVector.zero(S);
    FloatVector c3a = FloatVector.zero(S);
    FloatVector c3b = FloatVector.zero(S);
    FloatVector c4a = FloatVector.zero(S);
    FloatVector c4b = FloatVector.zero(S);
    FloatVector c5a = FloatVector.zero(S);
    FloatVector c5b = FloatVector.zero(S);
    FloatVector c6a = FloatVector.zero(S);
    FloatVector c6b = FloatVector.zero(S);
    FloatVector c7a = FloatVector.zero(S);
    FloatVector c7b = FloatVector.zero(S);
    FloatVector c8a = FloatVector.zero(S);
    FloatVector c8b = FloatVector.zero(S);
    FloatVector c9a = FloatVector.zero(S);
    FloatVector c9b = FloatVector.zero(S);
    FloatVector c10a = FloatVector.zero(S);
    FloatVector c10b = FloatVector.zero(S);
    FloatVector c11a = FloatVector.zero(S);
    FloatVector c11b = FloatVector.zero(S);
    for (int p = 0; p < depth; p++) {
      FloatVector ba = FloatVector.fromArray(S, b, bOffset + p * PANEL);
      FloatVector bb = FloatVector.fromArray(S, b, bOffset + p * PANEL + L);
      FloatVector a0 = FloatVector.broadcast(S, a[p]);
      c0a = a0.fma(ba, c0a);
      c0b = a0.fma(bb, c0b);
      FloatVector a1 = FloatVector.broadcast(S, a[LEFT_STRIDE + p]);
      c1a = a1.fma(ba, c1a);
      c1b = a1.fma(bb, c1b);
      FloatVector a2 = FloatVector.broadcast(S, a[2 * LEFT_STRIDE + p]);
      c2a = a2.fma(ba, c2a);
      c2b = a2.fma(bb, c2b);
      FloatVector a3 = FloatVector.broadcast(S, a[3 * LEFT_STRIDE + p]);
      c3a = a3.fma(ba, c3a);
      c3b = a3.fma(bb, c3b);
      FloatVector a4 = FloatVector.broadcast(S, a[4 * LEFT_STRIDE + p]);
      c4a = a4.fma(ba, c4a);
      c4b = a4.fma(bb, c4b);
      FloatVector a5 = FloatVector.broadcast(S, a[5 * LEFT_STRIDE + p]);
      c5a = a5.fma(ba, c5a);
      c5b = a5.fma(bb, c5b);
      FloatVector a6 = FloatVector.broadcast(S, a[6 * LEFT_STRIDE + p]);
      c6a = a6.fma(ba, c6a);
      c6b = a6.fma(bb, c6b);
      FloatVector a7 = FloatVector.broadcast(S, a[7 * LEFT_STRIDE + p]);
      c7a = a7.fma(ba, c7a);
      c7b = a7.fma(bb, c7b);
      FloatVector a8 = FloatVector.broadcast(S, a[8 * LEFT_STRIDE + p]);
      c8a = a8.fma(ba, c8a);
      c8b = a8.fma(bb, c8b);
      FloatVector a9 = FloatVector.broadcast(S, a[9 * LEFT_STRIDE + p]);
      c9a = a9.fma(ba, c9a);
      c9b = a9.fma(bb, c9b);
      FloatVector a10 = FloatVector.broadcast(S, a[10 * LEFT_STRIDE + p]);
      c10a = a10.fma(ba, c10a);
      c10b = a10.fma(bb, c10b);
      FloatVector a11 = FloatVector.broadcast(S, a[11 * LEFT_STRIDE + p]);
      c11a = a11.fma(ba, c11a);
      c11b = a11.fma(bb, c11b);
    }
    float[] c = product;
    c0a.intoArray(c, 0);
    c0b.intoArray(c, L);
    c1a.intoArray(c, 2 * L);
    c1b.intoArray(c, 3 * L);
    c2a.intoArray(c, 4 * L);
    c2b.intoArray(c, 5 * L);
    c3a.intoArray(c, 6 * L);
    c3b.intoArray(c, 7 * L);
    c4a.intoArray(c, 8 * L);
    c4b.intoArray(c, 9 * L);
    c5a.intoArray(c, 10 * L);
    c5b.intoArray(c, 11 * L);
    c6a.intoArray(c, 12 * L);
    c6b.intoArray(c, 13 * L);
    c7a.intoArray(c, 14 * L);
    c7b.intoArray(c, 15 * L);
    c8a.intoArray(c, 16 * L);
    c8b.intoArray(c, 17 * L);
    c9a.intoArray(c, 18 * L);
    c9b.intoArray(c, 19 * L);
    c10a.intoArray(c, 20 * L);
    c10b.intoArray(c, 21 * L);
    c11a.intoArray(c, 22 * L);
    c11b.intoArray(c, 23 * L);
  }

  /** Multiplies six rows of the left side by a panel. */
  private void sixRows(float[] b, int bOffset, int depth) {
    float[] a = left;
    FloatVector c0a = FloatVector.zero(S);
    FloatVector c0b = FloatVector.zero(S);
    FloatVector c1a = FloatVector.zero(S);
    FloatVector c1b = FloatVector.zero(S);
    FloatVector c2a = FloatVector.zero(S);
    FloatVector c2b = FloatVector.zero(S);
    FloatVector c3a = FloatVector.zero(S);
    FloatVector c3b = FloatVector.zero(S);
    FloatVector c4a = FloatVector.zero(S);
    FloatVector c4b = FloatVector.zero(S);
    FloatVector c5a = FloatVector.zero(S);
    FloatVector c5b = FloatVector.zero(S);
    for (int p = 0; p < depth; p++) {
      FloatVector ba = FloatVector.fromArray(S, b, bOffset + p * PANEL);
      FloatVector bb = FloatVector.fromArray(S, b, bOffset + p * PANEL + L);
      FloatVector a0 = FloatVector.broadcast(S, a[p]);
      c0a = a0.fma(ba, c0a);
      c0b = a0.fma(bb, c0b);
      FloatVector a1 = FloatVector.broadcast(S, a[LEFT_STRIDE + p]);
      c1a = a1.fma(ba, c1a);
      c1b = a1.fma(bb, c1b);
      FloatVector a2 = FloatVector.broadcast(S, a[2 * LEFT_STRIDE + p]);
      c2a = a2.fma(ba, c2a);
      c2b = a2.fma(bb, c2b);
      FloatVector a3 = FloatVector.broadcast(S, a[3 * LEFT_STRIDE + p]);
      c3a = a3.fma(ba, c3a);
      c3b = a3.fma(bb, c3b);
      FloatVector a4 = FloatVector.broadcast(S, a[4 * LEFT_STRIDE + p]);
      c4a = a4.fma(ba, c4a);
      c4b = a4.fma(bb, c4b);
      FloatVector a5 = FloatVector.broadcast(S, a[5 * LEFT_STRIDE + p]);
      c5a = a5.fma(ba, c5a);
      c5b = a5.fma(bb, c5b);
    }
    float[] c = product;
    c0a.intoArray(c, 0);
    c0b.intoArray(c, L);
    c1a.intoArray(c, 2 * L);
    c1b.intoArray(c, 3 * L);
    c2a.intoArray(c, 4 * L);
    c2b.intoArray(c, 5 * L);
    c3a.intoArray(c, 6 * L);
    c3b.intoArray(c, 7 * L);
    c4a.intoArray(c, 8 * L);
    c4b.intoArray(c, 9 * L);
    c5a.intoArray(c, 10 * L);
    c5b.intoArray(c, 11 * L);
  }
}
