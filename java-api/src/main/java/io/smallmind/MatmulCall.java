package io.smallmind;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Shares;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One y = x · dequant(W)ᵀ, split among the members of a team: an object that is filled anew for
 * every call. The views of the caller's memory are kept for calls to come, so that calls in a loop
 * don't allocate. Not thread-safe.
 */
final class MatmulCall implements Team.Work {
  /** Multiply-adds that are worth a fork and join of some microseconds. */
  private static final long PARALLEL_WORK = 64L * 1024;

  private final Kernels kernels;
  private final Team team;

  /** How many different calls a loop may hold before its views are made anew each time. */
  private static final int KEPT = 32;

  /** The caller's memory as matrices. */
  private record Views(Matrix x, Matrix y, Activations activations) {}

  private final @Nullable Views[] kept = new @Nullable Views[KEPT];
  private int oldest;
  private @Nullable Views views;
  private @Nullable PackedWeights weights;
  private long rows;

  MatmulCall(Kernels kernels, Team team) {
    this.kernels = kernels;
    this.team = team;
  }

  /**
   * Computes y = x · dequant(W)ᵀ.
   *
   * @param x (rows, w.columns()) F32, off-heap
   * @param y receives (rows, w.rows()) F32, off-heap
   */
  void run(MemorySegment x, long rows, PackedWeights w, MemorySegment y) {
    if (rows == 0 || w.rows() == 0) {
      return;
    }
    if (w.columns() == 0) {
      y.fill((byte) 0);
      return;
    }
    views = views(x, rows, w, y);
    this.weights = w;
    this.rows = rows;
    try {
      if ((double) rows * w.rows() * w.columns() < PARALLEL_WORK) {
        quantize(0, rows);
        multiply(0, rows, 0, w.rows());
      } else {
        team.run(this);
      }
    } finally {
      this.weights = null;
      this.views = null;
    }
  }

  @Override
  public void run(Team team, int member) {
    long rowBegin = rows * member / team.size();
    long rowEnd = rows * (member + 1) / team.size();
    quantize(rowBegin, rowEnd);
    PackedWeights w = weights();
    if (Shares.keepRows(rows, team.size())) {
      multiply(rowBegin, rowEnd, 0, w.rows());
      return;
    }
    team.barrier();
    long bytes = w.rows() * w.type().rowBytes(w.columns());
    long units = Shares.units(kernels, w);
    long fixed = Shares.fixed(units, bytes, rows, team.size());
    long chunk = Shares.chunk(units, bytes, rows);
    multiplyUnits(fixed * member / team.size(), fixed * (member + 1) / team.size());
    long rest = units - fixed;
    for (long begin = 0; begin < rest; ) {
      long claim = team.claim(1);
      begin = Shares.claimed(claim, rest, chunk, team.size());
      multiplyUnits(fixed + begin, fixed + Shares.claimed(claim + 1, rest, chunk, team.size()));
    }
  }

  private void multiplyUnits(long begin, long end) {
    long unit = Shares.unitRows(kernels, weights());
    long to = Math.min(weights().rows(), end * unit);
    if (begin * unit < to) {
      multiply(0, rows, begin * unit, to);
    }
  }

  private void quantize(long begin, long end) {
    if (begin < end && weights().type().isQuantized()) {
      kernels.quantize(views().activations(), begin, end);
    }
  }

  private void multiply(long rowBegin, long rowEnd, long begin, long end) {
    Views current = views();
    kernels.matmul(current.activations(), rowBegin, rowEnd, weights(), begin, end, current.y());
  }

  private Views views(MemorySegment x, long rows, PackedWeights w, MemorySegment y) {
    for (Views each : kept) {
      if (each != null
          && views(each.x(), x, rows, w.columns())
          && views(each.y(), y, rows, w.rows())) {
        return each;
      }
    }
    Matrix source = Matrix.of(x, TensorType.F32, rows, w.columns());
    Matrix target = Matrix.of(y, TensorType.F32, rows, w.rows());
    Views made = new Views(source, target, activations(source));
    kept[oldest] = made;
    oldest = (oldest + 1) % KEPT;
    return made;
  }

  /** Returns room for quantized activations: all views share it, until one needs more. */
  private Activations activations(Matrix source) {
    Views newest = kept[(oldest + KEPT - 1) % KEPT];
    if (newest == null) {
      return new Activations(kernels, source);
    }
    Activations made = newest.activations().reuse(kernels, source);
    if (made.quantized() != newest.activations().quantized()) {
      Arrays.fill(kept, null);
    }
    return made;
  }

  /**
   * Tells whether a matrix is of this shape, in just this memory, in an arena that lives as long.
   */
  private static boolean views(Matrix matrix, MemorySegment segment, long rows, long columns) {
    return matrix.rows() == rows
        && matrix.columns() == columns
        && matrix.segment().equals(segment)
        && matrix.segment().scope().equals(segment.scope());
  }

  private Views views() {
    Views current = views;
    if (current == null) {
      throw new IllegalStateException("no call is running");
    }
    return current;
  }

  private PackedWeights weights() {
    PackedWeights current = weights;
    if (current == null) {
      throw new IllegalStateException("no call is running");
    }
    return current;
  }
}
