package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import java.lang.foreign.MemorySegment;

/**
 * A product C = alpha · op(A) · op(B) + beta · C of matrices without gaps, cut into pieces that
 * members of a team take.
 */
final class Gemm {
  private static final int PIECES_PER_MEMBER = 2;

  /** Narrower pieces would spend their time on laying out the other matrix. */
  private static final int SMALLEST_PIECE = 128;

  /** Cuts fall on multiples of this: the widest tile of the kernels. */
  private static final int GRAIN = 16;

  private final Kernels kernels;
  private final boolean transposeA;
  private final boolean transposeB;
  private final long m;
  private final long n;
  private final long k;
  private final float alpha;
  private final MemorySegment a;
  private final MemorySegment b;
  private final float beta;
  private final MemorySegment c;
  private final int pieces;

  Gemm(
      Kernels kernels,
      int members,
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k,
      float alpha,
      MemorySegment a,
      MemorySegment b,
      float beta,
      MemorySegment c) {
    this.kernels = kernels;
    this.transposeA = transposeA;
    this.transposeB = transposeB;
    this.m = m;
    this.n = n;
    this.k = k;
    this.alpha = alpha;
    this.a = a;
    this.b = b;
    this.beta = beta;
    this.c = c;
    long most = members == 1 ? 1 : (long) members * PIECES_PER_MEMBER;
    pieces = (int) Math.clamp(Math.max(m, n) / SMALLEST_PIECE, 1, most);
  }

  int pieces() {
    return pieces;
  }

  /** Computes a piece: some rows or columns of C. */
  void run(int piece) {
    boolean byRows = m >= n;
    long begin = bound(byRows ? m : n, piece);
    long count = bound(byRows ? m : n, piece + 1) - begin;
    long row = byRows ? begin : 0;
    long column = byRows ? 0 : begin;
    long lda = transposeA ? m : k;
    long ldb = transposeB ? k : n;
    kernels.gemm(
        transposeA,
        transposeB,
        byRows ? count : m,
        byRows ? n : count,
        k,
        alpha,
        a,
        4 * (transposeA ? row : row * lda),
        lda,
        b,
        4 * (transposeB ? column * ldb : column),
        ldb,
        beta,
        c,
        4 * (row * n + column),
        n);
  }

  private long bound(long length, int piece) {
    return piece == pieces ? length : length * piece / pieces / GRAIN * GRAIN;
  }
}
