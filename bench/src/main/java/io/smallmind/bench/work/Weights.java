package io.smallmind.bench.work;

import io.smallmind.QuantizedMatrix;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights of one shape and type: one matrix or several, that are multiplied in turn so that none is
 * in a cache when its turn comes again.
 *
 * @param stored (rows, columns) each, as the format has them: what references are computed from
 * @param matrices the same, as a user of the library holds them
 * @param owned frees the memory behind {@code stored}
 */
record Weights(List<Matrix> stored, List<QuantizedMatrix> matrices, List<Runnable> owned)
    implements AutoCloseable {
  /** Small matrices in turn fill a cache at most, and a model has no more layers. */
  private static final long MOST_COPIES = 1024;

  /**
   * Makes random weights.
   *
   * @param rotateBytes how much memory all copies take, if it doesn't need too many of them
   */
  static Weights random(TensorType type, long rows, long columns, long rotateBytes) {
    long bytes = Math.multiplyExact(rows, type.rowBytes(columns));
    long copies = Math.clamp((rotateBytes + bytes - 1) / bytes, 1, MOST_COPIES);
    Memory memory = Memory.allocate(bytes);
    Matrix stored = RandomData.weights(memory, type, rows, columns);
    List<Matrix> same = new ArrayList<>();
    List<QuantizedMatrix> matrices = new ArrayList<>();
    for (long i = 0; i < copies; i++) {
      same.add(stored);
      matrices.add(QuantizedMatrix.ofBlocks(memory.segment(), rows, columns, type));
    }
    return new Weights(List.copyOf(same), List.copyOf(matrices), List.of(memory::close));
  }

  TensorType type() {
    return stored.getFirst().type();
  }

  long rows() {
    return stored.getFirst().rows();
  }

  long columns() {
    return stored.getFirst().columns();
  }

  /** Returns the size of all matrices as stored, in bytes. */
  long allBytes() {
    return bytes() * matrices.size();
  }

  /** Returns the size of one matrix as stored, in bytes. */
  long bytes() {
    return rows() * type().rowBytes(columns());
  }

  @Override
  public void close() {
    matrices.forEach(QuantizedMatrix::close);
    owned.forEach(Runnable::run);
  }
}
