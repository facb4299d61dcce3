package io.smallmind.bench.work;

import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Data to compute with: uniform in [-1, 1), the same in every run. */
final class RandomData {
  /**
   * Encoding is slow in some formats, and time doesn't depend on the values: after this many rows
   * (a prime, lest it match a kernel's tiles) they repeat.
   */
  private static final int DISTINCT_ROWS = 251;

  private static final long SEED = 20_260_101;

  private RandomData() {}

  /** Returns off-heap floats. */
  static Memory floats(long length, long salt) {
    Memory memory = Memory.allocate(length * Float.BYTES);
    SplittableRandom random = new SplittableRandom(SEED + salt);
    MemorySegment segment = memory.segment();
    for (long i = 0; i < length; i++) {
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, next(random));
    }
    return memory;
  }

  /** Encodes weights (rows, columns) into memory of their size. */
  static Matrix weights(Memory memory, TensorType type, long rows, long columns) {
    Matrix matrix = Matrix.of(memory.segment(), type, rows, columns);
    SplittableRandom random = new SplittableRandom(SEED);
    Codec codec = type.codec();
    float[] values = new float[Math.toIntExact(columns)];
    long distinct = Math.min(rows, DISTINCT_ROWS);
    for (long row = 0; row < distinct; row++) {
      for (int i = 0; i < values.length; i++) {
        values[i] = next(random);
      }
      codec.encode(values, 0, matrix.segment(), matrix.rowOffset(row), values.length);
    }
    for (long row = distinct; row < rows; row += distinct) {
      long bytes = Math.min(distinct, rows - row) * matrix.rowStride();
      MemorySegment.copy(matrix.segment(), 0, matrix.segment(), matrix.rowOffset(row), bytes);
    }
    return matrix;
  }

  private static float next(SplittableRandom random) {
    return (random.nextInt(1 << 24) - (1 << 23)) * 0x1p-23f;
  }
}
