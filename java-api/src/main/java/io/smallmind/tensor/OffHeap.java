package io.smallmind.tensor;

import io.smallmind.error.BadArgumentException;
import java.lang.foreign.MemorySegment;

/**
 * Keeps loops over segments fast, whatever else the process does with segments.
 *
 * <p>Access to a segment calls methods that differ between heap, native and mapped segments. Once
 * the JVM has seen too many kinds, it no longer inlines them, and a loop gets 10 to 20 times
 * slower. After a cast to the class of native segments, which mapped ones extend, it knows which
 * they are.
 */
public final class OffHeap {
  private static final Class<? extends MemorySegment> NATIVE = MemorySegment.NULL.getClass();

  private OffHeap() {}

  /**
   * Returns the same segment, with what the compiler needs to know about it.
   *
   * @throws BadArgumentException if it is on the heap
   */
  public static MemorySegment of(MemorySegment segment) {
    if (!segment.isNative()) {
      throw new BadArgumentException(
          "the segment must be off-heap; copy it to one of an Arena or a Memory");
    }
    return NATIVE.isInstance(segment) ? NATIVE.cast(segment) : segment;
  }
}
