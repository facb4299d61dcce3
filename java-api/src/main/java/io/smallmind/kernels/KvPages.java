package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The keys and values of one session, in pages that are allocated as the context grows.
 *
 * <p>A page holds {@value #PAGE_LENGTH} positions of all layers: (layers, 2, kvHeads, positions,
 * headDim), keys before values, each row of headDim values encoded in one type, so that a head's
 * keys (or values) follow each other. Not thread-safe, but members of a team may write different
 * positions or heads at the same time.
 */
public final class KvPages implements AutoCloseable {
  /** Positions per page. */
  public static final int PAGE_LENGTH = 64;

  private final TensorType type;
  private final int layers;
  private final int kvHeads;
  private final int headDim;
  private final long rowBytes;

  private Memory[] pages = new Memory[0];
  private MemorySegment[] segments = new MemorySegment[0];
  private Memory table = Memory.allocate(0);
  private int count;

  /**
   * Creates pages without any position.
   *
   * @param type F16, or Q8_0 if headDim is a multiple of 32; F32 for tests
   * @throws BadArgumentException if the type does not fit
   */
  public KvPages(TensorType type, int layers, int kvHeads, int headDim) {
    if (type != TensorType.F16 && type != TensorType.Q8_0 && type != TensorType.F32) {
      throw new BadArgumentException("keys and values are kept as F16 or Q8_0, not " + type);
    }
    this.type = type;
    this.layers = layers;
    this.kvHeads = kvHeads;
    this.headDim = headDim;
    rowBytes = type.rowBytes(headDim);
  }

  /** Returns the type of keys and values. */
  public TensorType type() {
    return type;
  }

  /** Returns the number of layers. */
  public int layers() {
    return layers;
  }

  /** Returns the number of key (and of value) heads. */
  public int kvHeads() {
    return kvHeads;
  }

  /** Returns the length of a head, in elements. */
  public int headDim() {
    return headDim;
  }

  /** Returns the size of one encoded row of a head, in bytes. */
  public long rowBytes() {
    return rowBytes;
  }

  /** Returns the number of positions that there is room for. */
  public long capacity() {
    return (long) count * PAGE_LENGTH;
  }

  /** Returns the size of a page, in bytes. */
  public long pageBytes() {
    return Math.multiplyExact(rowBytes * PAGE_LENGTH * 2, (long) layers * kvHeads);
  }

  /** Returns the memory of a page, aligned to 64 bytes. */
  public MemorySegment page(int index) {
    return segments[index];
  }

  /** Returns the addresses of all pages, as 64-bit integers. */
  public MemorySegment table() {
    return table.segment();
  }

  /** Returns the offset in a page of a head's first key, in bytes. */
  public long keyOffset(int layer, int kvHead) {
    return ((2L * layer) * kvHeads + kvHead) * PAGE_LENGTH * rowBytes;
  }

  /** Returns the offset in a page of a head's first value, in bytes. */
  public long valueOffset(int layer, int kvHead) {
    return ((2L * layer + 1) * kvHeads + kvHead) * PAGE_LENGTH * rowBytes;
  }

  /**
   * Makes room for at least this many positions.
   *
   * @throws io.smallmind.error.OutOfMemoryException if the operating system refuses memory
   */
  public void reserve(long positions) {
    int needed = Math.toIntExact((positions + PAGE_LENGTH - 1) / PAGE_LENGTH);
    if (needed > pages.length) {
      int length = Math.max(needed, pages.length * 2);
      Memory larger = Memory.allocate(8L * length);
      MemorySegment.copy(table.segment(), 0, larger.segment(), 0, 8L * count);
      table.close();
      table = larger;
      pages = Arrays.copyOf(pages, length);
      segments = Arrays.copyOf(segments, length);
    }
    for (; count < needed; count++) {
      pages[count] = Memory.allocate(pageBytes());
      segments[count] = pages[count].segment();
      table.segment().setAtIndex(JAVA_LONG, count, segments[count].address());
    }
  }

  /** Frees the pages behind this many positions. */
  public void shrink(long positions) {
    int needed = Math.toIntExact((positions + PAGE_LENGTH - 1) / PAGE_LENGTH);
    while (count > needed) {
      pages[--count].close();
    }
  }

  /** Frees everything. */
  @Override
  public void close() {
    shrink(0);
    table.close();
  }
}
