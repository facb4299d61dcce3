package io.smallmind.tensor;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.OutOfMemoryException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Zeroed off-heap memory for many matrices that live and die together. They lie one behind the
 * other in large slabs, so that small ones share huge pages too, and that reading them in the order
 * of allocation is reading memory in order. Not thread-safe.
 */
public final class MemoryPool implements AutoCloseable {
  private static final long SMALL_SLAB = 16L << 10;

  /** Slabs grow from that of the first to this size, so that little is left over. */
  private static final long LARGEST_SLAB = 16L << 20;

  /** The same where memory is resident only as it is touched: only addresses are left over. */
  private static final long LARGEST_UNTOUCHED_SLAB = 256L << 20;

  /** How many of the matrix that asks for it a slab should hold. */
  private static final long MATRICES = 8;

  private final List<Memory> slabs = new ArrayList<>();
  private MemorySegment free = MemorySegment.NULL;
  private long slabBytes;

  private MemoryPool(long slabBytes) {
    this.slabBytes = slabBytes;
  }

  /** Returns a pool without any memory, for weights. */
  public static MemoryPool large() {
    return new MemoryPool(Memory.LARGE);
  }

  /** Returns a pool without any memory, for what may take a few kilobytes in all. */
  public static MemoryPool small() {
    return new MemoryPool(SMALL_SLAB);
  }

  /**
   * Allocates zeroed memory that lives as long as the pool, aligned to {@link Memory#ALIGNMENT}
   * bytes.
   *
   * @throws BadArgumentException if bytes is negative
   * @throws OutOfMemoryException if the operating system refuses
   */
  public MemorySegment allocate(long bytes) {
    if (bytes < 0) {
      return slab(bytes); // which refuses
    }
    if (bytes > free.byteSize()) {
      boolean untouched = Memory.hasHugePages();
      long largest = untouched ? LARGEST_UNTOUCHED_SLAB : LARGEST_SLAB;
      if (untouched && bytes <= largest / MATRICES) {
        slabBytes = Math.max(slabBytes, MATRICES * aligned(bytes));
      }
      if (bytes > slabBytes / 2) {
        return slab(bytes);
      }
      free = slab(slabBytes);
      slabBytes = Math.min(largest, 2 * slabBytes);
    }
    MemorySegment allocated = free.asSlice(0, bytes);
    free = free.asSlice(aligned(bytes));
    return allocated;
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, Memory.ALIGNMENT) * Memory.ALIGNMENT;
  }

  private MemorySegment slab(long bytes) {
    Memory slab = Memory.allocate(bytes);
    slabs.add(slab);
    return slab.segment();
  }

  /** Frees everything as soon as nobody holds it. */
  @Override
  public void close() {
    slabs.forEach(Memory::close);
    slabs.clear();
    free = MemorySegment.NULL;
  }
}
