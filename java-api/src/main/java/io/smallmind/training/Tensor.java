package io.smallmind.training;

import java.lang.foreign.MemorySegment;

/** What flows through a network: (rows, columns) F32 row-major without gaps, and its gradient. */
final class Tensor {
  final int rows;
  final int columns;
  final MemorySegment value;

  /** Given by {@link Tape#seal}, unless it shares another tensor's. */
  MemorySegment gradient = MemorySegment.NULL;

  Tensor(int rows, int columns, MemorySegment value) {
    this.rows = rows;
    this.columns = columns;
    this.value = value;
  }

  long length() {
    return (long) rows * columns;
  }

  /** Returns the offset of a row in bytes. */
  long offset(long row) {
    return 4 * row * columns;
  }
}
