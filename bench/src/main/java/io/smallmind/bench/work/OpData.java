package io.smallmind.bench.work;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The inputs of an operation.
 *
 * @param a (rows, columns) F32
 * @param b of the same size; the weights of a norm are its first row, the biases its second
 * @param table (2, headDim / 2): cosines and sines of a position
 */
record OpData(Op op, Memory a, Memory b, Memory table, long rows, long columns)
    implements AutoCloseable {
  static final float EPSILON = 1e-5f;
  static final float FACTOR = 0.7f;
  static final long HEAD_DIM = 128;

  /** Rows of this length, where the work is row by row. */
  static final long LONGEST_ROW = 2048;

  private static final double POSITION = 100;

  static OpData random(Op op, long length) {
    long columns = Math.min(length, LONGEST_ROW);
    long rows = Math.max(1, length / columns);
    Memory table = Memory.allocate(HEAD_DIM * Float.BYTES);
    for (long i = 0; i < HEAD_DIM / 2; i++) {
      double angle = POSITION * Math.pow(10_000, -2.0 * i / HEAD_DIM);
      table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) Math.cos(angle));
      table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, HEAD_DIM / 2 + i, (float) Math.sin(angle));
    }
    Memory a = RandomData.floats(rows * columns, 4);
    // One row more, so that a norm of a single row still finds its biases.
    Memory b = RandomData.floats((rows + 1) * columns, 5);
    return new OpData(op, a, b, table, rows, columns);
  }

  long length() {
    return rows * columns;
  }

  /** Returns the heads of a row: the columns of a rotation are divided into them. */
  long heads() {
    return columns / HEAD_DIM;
  }

  Matrix matrix(MemorySegment segment) {
    return Matrix.of(segment, TensorType.F32, rows, columns);
  }

  /** Returns a row of b as a matrix. */
  Matrix vector(long row) {
    MemorySegment segment = b.segment().asSlice(row * columns * Float.BYTES, columns * Float.BYTES);
    return Matrix.of(segment, TensorType.F32, 1, columns);
  }

  float a(long row, long column) {
    return a.segment().getAtIndex(ValueLayout.JAVA_FLOAT, row * columns + column);
  }

  float b(long row, long column) {
    return b.segment().getAtIndex(ValueLayout.JAVA_FLOAT, row * columns + column);
  }

  @Override
  public void close() {
    a.close();
    b.close();
    table.close();
  }
}
