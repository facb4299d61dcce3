package io.smallmind;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One y = x · dequant(W)ᵀ, split among the members of a team: an object that is filled anew for
 * every call, so that calls with a known shape don't allocate. Not thread-safe.
 */
final class MatmulCall implements Team.Work {
  /** Multiply-adds that are worth a fork and join of some microseconds. */
  private static final long PARALLEL_WORK = 64L * 1024;

  /** Pieces per member: enough for members of unequal speed to end together. */
  private static final int PIECES_PER_MEMBER = 8;

  private final Kernels kernels;
  private final Team team;

  private @Nullable Activations activations;
  private @Nullable Matrix target;
  private @Nullable PackedWeights weights;
  private long rows;
  private long piece;

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
    bind(x, rows, w, y);
    this.weights = w;
    this.rows = rows;
    try {
      if ((double) rows * w.rows() * w.columns() < PARALLEL_WORK) {
        piece = w.rows();
        quantize(0, rows);
        multiply(0, w.rows());
      } else {
        long group = kernels.rowGroup(w.type());
        long even = w.rows() / ((long) team.size() * PIECES_PER_MEMBER);
        piece = Math.max(1, even / group) * group;
        team.run(this);
      }
    } finally {
      this.weights = null;
    }
  }

  @Override
  public void run(Team team, int member) {
    quantize(rows * member / team.size(), rows * (member + 1) / team.size());
    team.barrier();
    long outputs = weights().rows();
    for (long begin = team.claim(piece); begin < outputs; begin = team.claim(piece)) {
      multiply(begin, Math.min(outputs, begin + piece));
    }
  }

  private void quantize(long begin, long end) {
    if (begin < end && weights().type().isQuantized()) {
      kernels.quantize(activations(), begin, end);
    }
  }

  private void multiply(long begin, long end) {
    Matrix y = target;
    if (y == null) {
      throw new IllegalStateException("no call is running");
    }
    kernels.matmul(activations(), 0, rows, weights(), begin, end, y);
  }

  /** Views the caller's memory as matrices; the views of the last call serve again if they fit. */
  private void bind(MemorySegment x, long rows, PackedWeights w, MemorySegment y) {
    Activations current = activations;
    if (current == null
        || !sameMemory(current.source(), x)
        || current.source().rows() != rows
        || current.source().columns() != w.columns()) {
      Matrix source = Matrix.of(x, TensorType.F32, rows, w.columns());
      activations =
          current == null
              ? new Activations(kernels, source)
              : current.reuse(kernels, source);
    }
    Matrix known = target;
    if (known == null
        || !sameMemory(known, y)
        || known.rows() != rows
        || known.columns() != w.rows()) {
      target = Matrix.of(y, TensorType.F32, rows, w.rows());
    }
  }

  /** Tells whether a matrix views just this memory, in an arena that lives as long. */
  private static boolean sameMemory(Matrix matrix, MemorySegment segment) {
    return matrix.segment().equals(segment)
        && matrix.segment().scope().equals(segment.scope());
  }

  private Activations activations() {
    Activations current = activations;
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
