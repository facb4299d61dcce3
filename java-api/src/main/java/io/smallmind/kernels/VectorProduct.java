package io.smallmind.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of a few rows on the left and a panel of two vectors of columns on the right, all
 * row-major in heap arrays, added to what is there. Every result sums its products in order, so
 * that it has the same bits in one row as in four. Offsets and strides are in elements.
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
