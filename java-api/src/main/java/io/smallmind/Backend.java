package io.smallmind;

import io.smallmind.error.BackendException;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Multiplies matrices on the fastest kernels this machine can run: the door to linear algebra.
 *
 * <p>All matrices are row-major and F32 unless quantized. Arguments are heap arrays or memory
 * segments; off-heap segments of a shared or global arena are used in place, while heap arrays,
 * segments of a confined arena and unaligned ones are copied through buffers that the backend
 * keeps. Every argument is checked before any kernel sees it. A segment must stay alive until the
 * call returns.
 *
 * <p>Thread-safe; calls that come at the same time take turns, since each uses all threads of the
 * team. After the first call with a shape, calls don't allocate on the heap.
 */
public final class Backend {
  private final Kernels kernels;
  private final Team team;

  private final ReentrantLock turn = new ReentrantLock();
  private final GemmCall gemm;
  private final MatmulCall matmul;
  private final Staging stagedA = new Staging();
  private final Staging stagedB = new Staging();
  private final Staging stagedC = new Staging();

  private Backend(Kernels kernels, Team team) {
    this.kernels = kernels;
    this.team = team;
    gemm = new GemmCall(kernels, team);
    matmul = new MatmulCall(kernels, team);
  }

  /**
   * Returns the backend that the system property {@value KernelRegistry#BACKEND_PROPERTY} names, or
   * else the fastest one that runs here, on the shared team.
   *
   * @throws BackendException if the property names one that can't be had
   */
  public static Backend best() {
    return of(KernelRegistry.get().choose(), Team.shared());
  }

  /**
   * Returns the backend of this name, such as {@code native-avx2}, {@code vector} or {@code
   * scalar}, on the shared team.
   *
   * @throws BackendException if there is none, or it can't run here; the message says why
   */
  public static Backend of(String name) {
    return of(KernelRegistry.get().byName(name), Team.shared());
  }

  /**
   * Returns a backend with kernels and threads of your choice.
   *
   * @param team not closed by the backend
   */
  public static Backend of(Kernels kernels, Team team) {
    return new Backend(kernels, team);
  }

  /** Returns the name by which this backend is chosen. */
  public String name() {
    return kernels.name();
  }

  /** Returns the number of threads that a call uses at most. */
  public int threads() {
    return team.size();
  }

  /** Returns the kernels of this backend. */
  public Kernels kernels() {
    return kernels;
  }

  /** Returns the threads of this backend. */
  public Team team() {
    return team;
  }

  /** Returns which backends exist, which of them run here, and why the others don't. */
  public String explain() {
    return "using " + name() + ", threads: " + threads() + "\n" + KernelRegistry.get().explain();
  }

  /**
   * Computes c = a · b.
   *
   * @param a (m, k)
   * @param b (k, n)
   * @param c receives (m, n); must not be a or b
   * @throws BadArgumentException if an array's length does not fit its shape
   */
  public void matmul(float[] a, float[] b, float[] c, long m, long n, long k) {
    Check.length("a", a.length, m, k);
    Check.length("b", b.length, k, n);
    Check.length("c", c.length, m, n);
    if (c == a || c == b) {
      throw new BadArgumentException("c must not be the same array as a or b");
    }
    turn.lock();
    try {
      MemorySegment offHeapA = stagedA.copyIn(team, a);
      MemorySegment offHeapB = stagedB.copyIn(team, b);
      MemorySegment offHeapC = stagedC.room(c.length * 4L);
      gemm.run(false, false, m, n, k, 1, offHeapA, k, offHeapB, n, 0, offHeapC, n);
      stagedC.copyOut(team, c);
    } finally {
      turn.unlock();
    }
  }

  /**
   * Computes c = a · b.
   *
   * @param a (m, k)
   * @param b (k, n)
   * @param c receives (m, n); must not overlap a or b
   * @throws BadArgumentException if a segment's size does not fit its shape, or c overlaps
   */
  public void matmul(MemorySegment a, MemorySegment b, MemorySegment c, long m, long n, long k) {
    Check.bytes("a", a, m, k);
    Check.bytes("b", b, k, n);
    Check.bytes("c", c, m, n);
    gemm(false, false, m, n, k, 1, a, k, b, n, 0, c, n);
  }

  /**
   * Computes C = alpha · op(A) · op(B) + beta · C, where op(X) is X or its transpose.
   *
   * @param transposeA A is stored as (k, m) rather than (m, k)
   * @param transposeB B is stored as (n, k) rather than (k, n)
   * @param lda distance of A's stored rows in elements, at least their length; likewise ldb, ldc
   * @param beta with 0, C is not read
   * @throws BadArgumentException if a size is negative, a leading dimension too small, a segment
   *     too small, or C overlaps A or B
   */
  public void gemm(
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
    long bytesA = Check.strided("a", a, transposeA ? k : m, transposeA ? m : k, lda);
    long bytesB = Check.strided("b", b, transposeB ? n : k, transposeB ? k : n, ldb);
    long bytesC = Check.strided("c", c, m, n, ldc);
    Check.writable("c", c);
    Check.disjoint("c", c, bytesC, "a", a, bytesA);
    Check.disjoint("c", c, bytesC, "b", b, bytesB);
    turn.lock();
    try {
      MemorySegment offHeapA = Staging.isDirect(a) ? a : stagedA.copyIn(team, a, bytesA);
      MemorySegment offHeapB = Staging.isDirect(b) ? b : stagedB.copyIn(team, b, bytesB);
      boolean direct = Staging.isDirect(c);
      // Copied in even with beta = 0: what lies between the rows of C must survive the copy out.
      MemorySegment offHeapC = direct ? c : stagedC.copyIn(team, c, bytesC);
      gemm.run(
          transposeA,
          transposeB,
          m,
          n,
          k,
          alpha,
          offHeapA,
          lda,
          offHeapB,
          ldb,
          beta,
          offHeapC,
          ldc);
      if (!direct) {
        stagedC.copyOut(team, c, bytesC);
      }
    } finally {
      turn.unlock();
    }
  }

  /**
   * Computes y = x · dequant(w)ᵀ; quantized weights multiply quantized activations (see {@link
   * Kernels#quantize}).
   *
   * @param x (rows, w.columns()), any number of rows
   * @param w weights; packed for this backend on first use
   * @param y receives (rows, w.rows()); must not be x
   * @throws BadArgumentException if an array's length does not fit
   * @throws ClosedException if w was closed
   */
  public void matmul(float[] x, QuantizedMatrix w, float[] y) {
    long rows = Check.rows(x.length, w.columns());
    Check.length("x", x.length, rows, w.columns());
    Check.length("y", y.length, rows, w.rows());
    if (x == y) {
      throw new BadArgumentException("y must not be the same array as x");
    }
    w.acquire();
    try {
      PackedWeights packed = w.packed(this);
      turn.lock();
      try {
        MemorySegment offHeapX = stagedA.copyIn(team, x);
        MemorySegment offHeapY = stagedC.room(y.length * 4L);
        matmul.run(offHeapX, rows, packed, offHeapY);
        stagedC.copyOut(team, y);
      } finally {
        turn.unlock();
      }
    } finally {
      w.release();
    }
  }

  /**
   * Computes y = x · dequant(w)ᵀ; quantized weights multiply quantized activations (see {@link
   * Kernels#quantize}).
   *
   * @param x (rows, w.columns()), any number of rows
   * @param w weights; packed for this backend on first use
   * @param y receives (rows, w.rows()); must not overlap x
   * @throws BadArgumentException if a segment's size does not fit, or y overlaps x
   * @throws ClosedException if w was closed
   */
  public void matmul(MemorySegment x, QuantizedMatrix w, MemorySegment y) {
    long rows = Check.rows(x.byteSize() / 4, w.columns());
    Check.bytes("x", x, rows, w.columns());
    Check.bytes("y", y, rows, w.rows());
    Check.writable("y", y);
    Check.disjoint("y", y, y.byteSize(), "x", x, x.byteSize());
    w.acquire();
    try {
      PackedWeights packed = w.packed(this);
      turn.lock();
      try {
        MemorySegment offHeapX = Staging.isDirect(x) ? x : stagedA.copyIn(team, x, x.byteSize());
        boolean direct = Staging.isDirect(y);
        MemorySegment offHeapY = direct ? y : stagedC.room(y.byteSize());
        matmul.run(offHeapX, rows, packed, offHeapY);
        if (!direct) {
          stagedC.copyOut(team, y, y.byteSize());
        }
      } finally {
        turn.unlock();
      }
    } finally {
      w.release();
    }
  }

  @Override
  public String toString() {
    return "backend " + name() + ", threads: " + threads();
  }
}
