package io.smallmind.bench.work;

import io.smallmind.Backend;
import io.smallmind.QuantizedMatrix;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** y (rows, N) = x (rows, K) · Wᵀ by a backend; weights in turn. */
final class MatmulTrial extends Trial {
  private static final long ESTIMATED_ROWS = 8;
  private static final long ESTIMATED_OUTPUTS = 256;

  private final Backend backend;
  private final Weights weights;
  private final Memory x;
  private final long rows;
  private final List<MatmulReference> references;
  private final Memory y;
  private final QuantizedMatrix[] matrices;
  private int turn;

  /**
   * Creates a trial.
   *
   * @param references of the first weights, and of the last
   */
  MatmulTrial(
      Backend backend, Weights weights, Memory x, long rows, List<MatmulReference> references) {
    super(backend.name(), Role.BACKEND, backend.threads());
    this.backend = backend;
    this.weights = weights;
    this.x = x;
    this.rows = rows;
    this.references = references;
    matrices = weights.matrices().toArray(new QuantizedMatrix[0]);
    y = Memory.allocate(rows * weights.rows() * Float.BYTES);
  }

  @Override
  public double estimateNanos() {
    if (2.0 * rows * weights.rows() * weights.columns() < Estimate.SHORT_OPERATIONS) {
      return 0;
    }
    Matrix stored = weights.stored().getFirst();
    long someRows = Math.min(rows, ESTIMATED_ROWS);
    long someOutputs = Math.min(stored.rows(), ESTIMATED_OUTPUTS);
    MemorySegment blocks = stored.segment().asSlice(0, someOutputs * stored.rowStride());
    MemorySegment someX = x.segment().asSlice(0, someRows * stored.columns() * Float.BYTES);
    MemorySegment someY = y.segment().asSlice(0, someRows * someOutputs * Float.BYTES);
    try (QuantizedMatrix part =
        QuantizedMatrix.ofBlocks(blocks, someOutputs, stored.columns(), stored.type())) {
      double nanos = Estimate.shortest(() -> backend.matmul(someX, part, someY));
      return nanos / (someRows * someOutputs) * (rows * stored.rows());
    }
  }

  @Override
  public Verdict verify() {
    for (QuantizedMatrix matrix : matrices) {
      backend.matmul(x.segment(), matrix, y.segment()); // packs it
    }
    Verdict first = verify(matrices[0], references.getFirst());
    return first.and(verify(matrices[matrices.length - 1], references.getLast()));
  }

  private Verdict verify(QuantizedMatrix matrix, MatmulReference reference) {
    y.segment().fill((byte) -1); // NaN
    backend.matmul(x.segment(), matrix, y.segment());
    return reference.check(y.segment());
  }

  @Override
  public void call() {
    backend.matmul(x.segment(), matrices[turn], y.segment());
    turn = turn + 1 == matrices.length ? 0 : turn + 1;
  }

  @Override
  public void close() {
    y.close();
  }
}
