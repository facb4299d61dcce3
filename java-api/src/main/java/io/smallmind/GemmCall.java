package io.smallmind;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;

/**
 * One FP32 gemm, split among the members of a team: an object that is filled anew for every call,
 * so that calls don't allocate. Not thread-safe.
 */
final class GemmCall implements Team.Work {
  /** Multiply-adds that are worth a fork and join of some microseconds. */
  private static final long PARALLEL_WORK = 64L * 64 * 64;

  /** Splits fall on multiples of this: the widest tile of the kernels. */
  private static final long GRAIN = 16;

  private final Kernels kernels;
  private final Team team;

  private boolean transposeA;
  private boolean transposeB;
  private long m;
  private long n;
  private long k;
  private float alpha;
  private MemorySegment a = MemorySegment.NULL;
  private long lda;
  private MemorySegment b = MemorySegment.NULL;
  private long ldb;
  private float beta;
  private MemorySegment c = MemorySegment.NULL;
  private long ldc;

  GemmCall(Kernels kernels, Team team) {
    this.kernels = kernels;
    this.team = team;
  }

  /** Computes C = alpha · op(A) · op(B) + beta · C; see {@link Kernels#gemm}. */
  void run(
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k,
      float alpha,
      MemorySegment a,
      long lda,
      MemorySegment b,
      long ldb,
      float beta,
      MemorySegment c,
      long ldc) {
    if (m == 0 || n == 0) {
      return;
    }
    this.transposeA = transposeA;
    this.transposeB = transposeB;
    this.m = m;
    this.n = n;
    this.k = k;
    this.alpha = alpha;
    this.a = a;
    this.lda = lda;
    this.b = b;
    this.ldb = ldb;
    this.beta = beta;
    this.c = c;
    this.ldc = ldc;
    // In floating point, since the product can pass 2^63; exactness does not matter here.
    if ((double) m * n * Math.max(k, 1) < PARALLEL_WORK || Math.max(m, n) < 2 * GRAIN) {
      multiply(0, m, 0, n);
    } else {
      team.run(this);
    }
  }

  @Override
  public void run(Team team, int member) {
    if (m >= n) {
      multiply(share(m, member), share(m, member + 1), 0, n);
    } else {
      multiply(0, m, share(n, member), share(n, member + 1));
    }
  }

  private long share(long length, int member) {
    if (member == team.size()) {
      return length;
    }
    long grains = (length + GRAIN - 1) / GRAIN;
    return Math.min(length, grains * member / team.size() * GRAIN);
  }

  private void multiply(long rowBegin, long rowEnd, long columnBegin, long columnEnd) {
    if (rowBegin >= rowEnd || columnBegin >= columnEnd) {
      return;
    }
    kernels.gemm(
        transposeA,
        transposeB,
        rowEnd - rowBegin,
        columnEnd - columnBegin,
        k,
        alpha,
        a,
        4 * (transposeA ? rowBegin : rowBegin * lda),
        lda,
        b,
        4 * (transposeB ? columnBegin * ldb : columnBegin),
        ldb,
        beta,
        c,
        4 * (rowBegin * ldc + columnBegin),
        ldc);
  }
}
