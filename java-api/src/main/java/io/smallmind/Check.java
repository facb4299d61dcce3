package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import java.lang.foreign.MemorySegment;

/** The checks at the public door. */
final class Check {
  private Check() {}

  /** Checks that an array has exactly rows × columns elements. */
  static void length(String name, long length, long rows, long columns) {
    long needed = elements(name, rows, columns);
    if (length != needed) {
      throw new BadArgumentException(
          name
              + " must have "
              + rows
              + " × "
              + columns
              + " = "
              + needed
              + " elements, not "
              + length);
    }
  }

  /** Checks that a live segment has exactly rows × columns floats. */
  static void bytes(String name, MemorySegment segment, long rows, long columns) {
    alive(name, segment);
    long needed = elements(name, rows, columns);
    if (needed > Long.MAX_VALUE / 4 || segment.byteSize() != needed * 4) {
      throw new BadArgumentException(
          name
              + " must have "
              + rows
              + " × "
              + columns
              + " floats of 4 bytes, not "
              + segment.byteSize()
              + " bytes");
    }
  }

  /** Checks that a live segment holds rows of the given stride; returns the bytes they span. */
  static long strided(
      String name, MemorySegment segment, long rows, long columns, long leadingDimension) {
    alive(name, segment);
    elements(name, rows, columns);
    if (leadingDimension < columns) {
      throw new BadArgumentException(
          "the leading dimension of "
              + name
              + " is "
              + leadingDimension
              + " elements; it must be at least the length of a row, "
              + columns);
    }
    long needed;
    try {
      needed =
          rows == 0 || columns == 0
              ? 0
              : Math.multiplyExact(
                  4L, Math.addExact(Math.multiplyExact(rows - 1, leadingDimension), columns));
    } catch (ArithmeticException e) {
      throw new BadArgumentException(name + " of " + rows + " × " + columns + " is too large", e);
    }
    if (segment.byteSize() < needed) {
      throw new BadArgumentException(
          name + " needs " + needed + " bytes, the segment has " + segment.byteSize());
    }
    return needed;
  }

  /** Returns how many rows of this length the elements make; a rest is for the caller to refuse. */
  static long rows(long elements, long columns) {
    return columns == 0 ? 0 : elements / columns;
  }

  static void writable(String name, MemorySegment segment) {
    if (segment.isReadOnly()) {
      throw new BadArgumentException(name + " is read-only; pass a writable segment");
    }
  }

  /** Checks that an output does not share memory with an input. */
  static void disjoint(
      String name,
      MemorySegment out,
      long outBytes,
      String otherName,
      MemorySegment other,
      long otherBytes) {
    // Addresses of heap segments are offsets into their arrays: comparable within one array only.
    boolean sameSpace =
        out.isNative() == other.isNative()
            && (out.isNative() || out.heapBase().equals(other.heapBase()));
    if (sameSpace
        && outBytes > 0
        && otherBytes > 0
        && out.address() < other.address() + otherBytes
        && other.address() < out.address() + outBytes) {
      throw new BadArgumentException(
          name + " must not overlap " + otherName + "; give it memory of its own");
    }
  }

  private static void alive(String name, MemorySegment segment) {
    if (!segment.scope().isAlive()) {
      throw new ClosedException(
          "the arena of " + name + " was closed; keep it open during the call");
    }
    if (!segment.isAccessibleBy(Thread.currentThread())) {
      throw new BadArgumentException(
          name + " belongs to another thread; allocate it from a shared arena");
    }
  }

  private static long elements(String name, long rows, long columns) {
    if (rows < 0 || columns < 0) {
      throw new BadArgumentException(
          "the shape of " + name + " is negative: " + rows + " × " + columns);
    }
    try {
      return Math.multiplyExact(rows, columns);
    } catch (ArithmeticException e) {
      throw new BadArgumentException(name + " of " + rows + " × " + columns + " is too large", e);
    }
  }
}
