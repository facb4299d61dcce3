package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.fail;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * Off-heap values between two zones of poison, in which a stray write shows. Poison read as F32 is
 * NaN, so that a stray read shows as well.
 */
final class Guarded implements AutoCloseable {
  /** Larger than any vector, and than a row of a tile. */
  private static final int ZONE = 512;

  private static final byte POISON = -1;

  private final Memory memory;
  private final MemorySegment values;
  private final long shift;

  private Guarded(long bytes, int shift) {
    this.shift = shift;
    memory = Memory.allocate(ZONE + shift + bytes + ZONE);
    memory.segment().fill(POISON);
    values = memory.segment().asSlice(ZONE + shift, bytes);
  }

  /** Makes poisoned memory, aligned to 64 bytes. */
  static Guarded bytes(long bytes) {
    return new Guarded(bytes, 0);
  }

  /** Makes poisoned memory for F32 values, aligned to 64 bytes plus a number of values. */
  static Guarded floats(long length, int shift) {
    return new Guarded(4 * length, 4 * shift);
  }

  /** Makes memory that holds values. */
  static Guarded of(float... values) {
    Guarded guarded = floats(values.length, 0);
    guarded.set(values);
    return guarded;
  }

  /** Makes memory that holds rows of values, the rows some poisoned values apart. */
  static Guarded rows(float[][] rows, int columns, int padding) {
    Guarded guarded = floats((long) rows.length * (columns + padding), 0);
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < columns; j++) {
        guarded.set((long) i * (columns + padding) + j, rows[i][j]);
      }
    }
    return guarded;
  }

  /** Views this as an F32 matrix whose rows are some poisoned values apart. */
  Matrix matrix(long rows, long columns, long padding) {
    return Matrix.of(values, TensorType.F32, rows, columns, 4 * (columns + padding));
  }

  MemorySegment segment() {
    return values;
  }

  /** Returns the memory with its zones, for kernels that get an offset. */
  MemorySegment withZones() {
    return memory.segment();
  }

  /** Returns the offset of the values in {@link #withZones}, in bytes. */
  long offset() {
    return ZONE + shift;
  }

  float get(long index) {
    return values.get(JAVA_FLOAT_UNALIGNED, 4 * index);
  }

  void set(long index, float value) {
    values.set(JAVA_FLOAT_UNALIGNED, 4 * index, value);
  }

  void set(float[] source) {
    MemorySegment.copy(source, 0, values, JAVA_FLOAT_UNALIGNED, 0, source.length);
  }

  float[] toArray() {
    float[] array = new float[(int) (values.byteSize() / 4)];
    MemorySegment.copy(values, JAVA_FLOAT_UNALIGNED, 0, array, 0, array.length);
    return array;
  }

  /** Tells whether the F32 value at this index was never written. */
  boolean isPoison(long index) {
    return values.get(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, 4 * index) == -1;
  }

  /** Fails if anything was written outside of the values. */
  void check(Object what) {
    checkZone(0, ZONE + shift, what);
    checkZone(ZONE + shift + values.byteSize(), ZONE, what);
  }

  /** Fails if anything was written between rows, or outside of the rows from begin to end. */
  void check(long rows, long columns, long padding, long begin, long end, Object what) {
    check(what);
    for (long i = 0; i < rows; i++) {
      long first = i >= begin && i < end ? columns : 0;
      for (long j = first; j < columns + padding; j++) {
        if (!isPoison(i * (columns + padding) + j)) {
          fail(what + ": wrote at row " + i + ", column " + j + " of " + rows + " × " + columns);
        }
      }
    }
  }

  private void checkZone(long offset, long length, Object what) {
    for (long i = 0; i < length; i++) {
      if (memory.segment().get(JAVA_BYTE, offset + i) != POISON) {
        fail(what + ": wrote outside of its output, at " + (offset + i - ZONE - shift) + " bytes");
      }
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
