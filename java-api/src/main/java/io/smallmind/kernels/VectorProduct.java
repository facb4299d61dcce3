package io.smallmind.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of a few rows on the left and a panel of two vectors of columns on the right, all
 * row-major in heap arrays, added to what is there. Every result sums its products in order, so
 * that it has the same bits in one row as in twelve. Offsets and strides are in elements.
 */
final class VectorProduct {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;

  private VectorProduct() {}

  /**
   * Computes c[i][j] += Σ a[i][k] · b[k][j] for 4 rows i and {@link VectorTile#PANEL} columns j.
   */
  static void addFour(
      float[] a,
      int aOffset,
      int aStride,
      int depth,
      float[] b,
      int bOffset,
      int bStride,
      float[] c,
      int cOffset,
      int cStride) {
    int c1 = cOffset + cStride;
    int c2 = cOffset + 2 * cStride;
    int c3 = cOffset + 3 * cStride;
    FloatVector c0a = FloatVector.fromArray(S, c, cOffset);
    FloatVector c0b = FloatVector.fromArray(S, c, cOffset + L);
    FloatVector c1a = FloatVector.fromArray(S, c, c1);
    FloatVector c1b = FloatVector.fromArray(S, c, c1 + L);
    FloatVector c2a = FloatVector.fromArray(S, c, c2);
    FloatVector c2b = FloatVector.fromArray(S, c, c2 + L);
    FloatVector c3a = FloatVector.fromArray(S, c, c3);
    FloatVector c3b = FloatVector.fromArray(S, c, c3 + L);
    int a1 = aOffset + aStride;
    int a2 = aOffset + 2 * aStride;
    int a3 = aOffset + 3 * aStride;
    for (int k = 0, at = bOffset; k < depth; k++, at += bStride) {
      FloatVector ba = FloatVector.fromArray(S, b, at);
      FloatVector bb = FloatVector.fromArray(S, b, at + L);
      FloatVector x = FloatVector.broadcast(S, a[aOffset + k]);
      c0a = x.fma(ba, c0a);
      c0b = x.fma(bb, c0b);
      x = FloatVector.broadcast(S, a[a1 + k]);
      c1a = x.fma(ba, c1a);
      c1b = x.fma(bb, c1b);
      x = FloatVector.broadcast(S, a[a2 + k]);
      c2a = x.fma(ba, c2a);
      c2b = x.fma(bb, c2b);
      x = FloatVector.broadcast(S, a[a3 + k]);
      c3a = x.fma(ba, c3a);
      c3b = x.fma(bb, c3b);
    }
    c0a.intoArray(c, cOffset);
    c0b.intoArray(c, cOffset + L);
    c1a.intoArray(c, c1);
    c1b.intoArray(c, c1 + L);
    c2a.intoArray(c, c2);
    c2b.intoArray(c, c2 + L);
    c3a.intoArray(c, c3);
    c3b.intoArray(c, c3 + L);
  }

  /**
   * Distance of the rows of a in {@link #addTwelve}: a constant, for one register to address all.
   */
  static final int A_STRIDE = KvPages.PAGE_LENGTH;

  /**
   * Computes c[i][j] += Σ a[i][k] · b[k][j] for 12 rows i, {@link #A_STRIDE} apart in a, and {@link
   * VectorTile#PANEL} columns j.
   */
  static void addTwelve(
      float[] a,
      int aOffset,
      int depth,
      float[] b,
      int bOffset,
      int bStride,
      float[] c,
      int cOffset,
      int cStride) {
    FloatVector c0a = FloatVector.fromArray(S, c, cOffset);
    FloatVector c0b = FloatVector.fromArray(S, c, cOffset + L);
    FloatVector c1a = FloatVector.fromArray(S, c, cOffset + cStride);
    FloatVector c1b = FloatVector.fromArray(S, c, cOffset + cStride + L);
    FloatVector c2a = FloatVector.fromArray(S, c, cOffset + 2 * cStride);
    FloatVector c2b = FloatVector.fromArray(S, c, cOffset + 2 * cStride + L);
    FloatVector c3a = FloatVector.fromArray(S, c, cOffset + 3 * cStride);
    FloatVector c3b = FloatVector.fromArray(S, c, cOffset + 3 * cStride + L);
    FloatVector c4a = FloatVector.fromArray(S, c, cOffset + 4 * cStride);
    FloatVector c4b = FloatVector.fromArray(S, c, cOffset + 4 * cStride + L);
    FloatVector c5a = FloatVector.fromArray(S, c, cOffset + 5 * cStride);
    FloatVector c5b = FloatVector.fromArray(S, c, cOffset + 5 * cStride + L);
    FloatVector c6a = FloatVector.fromArray(S, c, cOffset + 6 * cStride);
    FloatVector c6b = FloatVector.fromArray(S, c, cOffset + 6 * cStride + L);
    FloatVector c7a = FloatVector.fromArray(S, c, cOffset + 7 * cStride);
    FloatVector c7b = FloatVector.fromArray(S, c, cOffset + 7 * cStride + L);
    FloatVector c8a = FloatVector.fromArray(S, c, cOffset + 8 * cStride);
    FloatVector c8b = FloatVector.fromArray(S, c, cOffset + 8 * cStride + L);
    FloatVector c9a = FloatVector.fromArray(S, c, cOffset + 9 * cStride);
    FloatVector c9b = FloatVector.fromArray(S, c, cOffset + 9 * cStride + L);
    FloatVector c10a = FloatVector.fromArray(S, c, cOffset + 10 * cStride);
    FloatVector c10b = FloatVector.fromArray(S, c, cOffset + 10 * cStride + L);
    FloatVector c11a = FloatVector.fromArray(S, c, cOffset + 11 * cStride);
    FloatVector c11b = FloatVector.fromArray(S, c, cOffset + 11 * cStride + L);
    for (int k = 0; k < depth; k++) {
      FloatVector ba = FloatVector.fromArray(S, b, bOffset + k * bStride);
      FloatVector bb = FloatVector.fromArray(S, b, bOffset + k * bStride + L);
      int at = aOffset + k;
      FloatVector a0 = FloatVector.broadcast(S, a[at]);
      c0a = a0.fma(ba, c0a);
      c0b = a0.fma(bb, c0b);
      FloatVector a1 = FloatVector.broadcast(S, a[at + A_STRIDE]);
      c1a = a1.fma(ba, c1a);
      c1b = a1.fma(bb, c1b);
      FloatVector a2 = FloatVector.broadcast(S, a[at + 2 * A_STRIDE]);
      c2a = a2.fma(ba, c2a);
      c2b = a2.fma(bb, c2b);
      FloatVector a3 = FloatVector.broadcast(S, a[at + 3 * A_STRIDE]);
      c3a = a3.fma(ba, c3a);
      c3b = a3.fma(bb, c3b);
      FloatVector a4 = FloatVector.broadcast(S, a[at + 4 * A_STRIDE]);
      c4a = a4.fma(ba, c4a);
      c4b = a4.fma(bb, c4b);
      FloatVector a5 = FloatVector.broadcast(S, a[at + 5 * A_STRIDE]);
      c5a = a5.fma(ba, c5a);
      c5b = a5.fma(bb, c5b);
      FloatVector a6 = FloatVector.broadcast(S, a[at + 6 * A_STRIDE]);
      c6a = a6.fma(ba, c6a);
      c6b = a6.fma(bb, c6b);
      FloatVector a7 = FloatVector.broadcast(S, a[at + 7 * A_STRIDE]);
      c7a = a7.fma(ba, c7a);
      c7b = a7.fma(bb, c7b);
      FloatVector a8 = FloatVector.broadcast(S, a[at + 8 * A_STRIDE]);
      c8a = a8.fma(ba, c8a);
      c8b = a8.fma(bb, c8b);
      FloatVector a9 = FloatVector.broadcast(S, a[at + 9 * A_STRIDE]);
      c9a = a9.fma(ba, c9a);
      c9b = a9.fma(bb, c9b);
      FloatVector a10 = FloatVector.broadcast(S, a[at + 10 * A_STRIDE]);
      c10a = a10.fma(ba, c10a);
      c10b = a10.fma(bb, c10b);
      FloatVector a11 = FloatVector.broadcast(S, a[at + 11 * A_STRIDE]);
      c11a = a11.fma(ba, c11a);
      c11b = a11.fma(bb, c11b);
    }
    c0a.intoArray(c, cOffset);
    c0b.intoArray(c, cOffset + L);
    c1a.intoArray(c, cOffset + cStride);
    c1b.intoArray(c, cOffset + cStride + L);
    c2a.intoArray(c, cOffset + 2 * cStride);
    c2b.intoArray(c, cOffset + 2 * cStride + L);
    c3a.intoArray(c, cOffset + 3 * cStride);
    c3b.intoArray(c, cOffset + 3 * cStride + L);
    c4a.intoArray(c, cOffset + 4 * cStride);
    c4b.intoArray(c, cOffset + 4 * cStride + L);
    c5a.intoArray(c, cOffset + 5 * cStride);
    c5b.intoArray(c, cOffset + 5 * cStride + L);
    c6a.intoArray(c, cOffset + 6 * cStride);
    c6b.intoArray(c, cOffset + 6 * cStride + L);
    c7a.intoArray(c, cOffset + 7 * cStride);
    c7b.intoArray(c, cOffset + 7 * cStride + L);
    c8a.intoArray(c, cOffset + 8 * cStride);
    c8b.intoArray(c, cOffset + 8 * cStride + L);
    c9a.intoArray(c, cOffset + 9 * cStride);
    c9b.intoArray(c, cOffset + 9 * cStride + L);
    c10a.intoArray(c, cOffset + 10 * cStride);
    c10b.intoArray(c, cOffset + 10 * cStride + L);
    c11a.intoArray(c, cOffset + 11 * cStride);
    c11b.intoArray(c, cOffset + 11 * cStride + L);
  }

  /** Computes c[j] += Σ a[k] · b[k][j] for {@link VectorTile#PANEL} columns j. */
  static void addOne(
      float[] a,
      int aOffset,
      int depth,
      float[] b,
      int bOffset,
      int bStride,
      float[] c,
      int cOffset) {
    FloatVector ca = FloatVector.fromArray(S, c, cOffset);
    FloatVector cb = FloatVector.fromArray(S, c, cOffset + L);
    for (int k = 0, at = bOffset; k < depth; k++, at += bStride) {
      FloatVector x = FloatVector.broadcast(S, a[aOffset + k]);
      ca = x.fma(FloatVector.fromArray(S, b, at), ca);
      cb = x.fma(FloatVector.fromArray(S, b, at + L), cb);
    }
    ca.intoArray(c, cOffset);
    cb.intoArray(c, cOffset + L);
  }
}
