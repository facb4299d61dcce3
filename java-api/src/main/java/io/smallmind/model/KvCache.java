package io.smallmind.model;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.ContextOverflowException;
import io.smallmind.kernels.KvPages;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * What a session remembers: the keys and values of its tokens so far. Made by {@link
 * Model#newCache}; not thread-safe.
 */
public final class KvCache implements AutoCloseable {
  private final KvPages pages;
  private final int capacity;
  private int length;
  private boolean closed;

  KvCache(ModelConfig config, TensorType type, int capacity) {
    pages = new KvPages(type, config.layers(), config.kvHeads(), config.headDim());
    this.capacity = capacity;
  }

  /** Returns the number of tokens that are remembered. */
  public int length() {
    return length;
  }

  /** Returns the number of tokens that can be remembered. */
  public int capacity() {
    return capacity;
  }

  /** Returns the type of keys and values. */
  public TensorType type() {
    return pages.type();
  }

  /** Returns the memory that is in use, in bytes. */
  public long byteSize() {
    return pages.pageBytes() * (pages.capacity() / KvPages.PAGE_LENGTH);
  }

  /**
   * Allocates memory for this many tokens ahead of time; without it, memory grows by pages.
   *
   * @throws ContextOverflowException if they don't fit
   */
  public void reserve(int tokens) {
    open();
    if (tokens > capacity) {
      throw new ContextOverflowException(
          tokens
              + " tokens don't fit into a context of "
              + capacity
              + "; shorten the text, raise the session's context length, or choose an overflow"
              + " policy");
    }
    pages.reserve(tokens);
  }

  /**
   * Forgets the last tokens.
   *
   * @param tokens how many to keep
   * @throws BadArgumentException if there are not so many
   */
  public void truncate(int tokens) {
    open();
    if (tokens < 0 || tokens > length) {
      throw new BadArgumentException(
          "can't keep " + tokens + " tokens of the " + length + " remembered");
    }
    length = tokens;
    pages.shrink(tokens);
  }

  /** Returns an independent copy. */
  public KvCache copy() {
    open();
    KvCache copy = new KvCache(this);
    copy.pages.reserve(length);
    for (int page = 0; page * KvPages.PAGE_LENGTH < length; page++) {
      copy.pages.page(page).copyFrom(pages.page(page));
    }
    return copy;
  }

  private KvCache(KvCache other) {
    pages =
        new KvPages(
            other.pages.type(),
            other.pages.layers(),
            other.pages.kvHeads(),
            other.pages.headDim());
    capacity = other.capacity;
    length = other.length;
  }

  /** Returns the pages; the first {@link #length()} positions are valid. */
  KvPages pages() {
    return pages;
  }

  /** Takes the tokens up to this position as remembered; their keys and values are in the pages. */
  void commit(int tokens) {
    length = tokens;
  }

  /** Returns the bytes of one page, for saving and restoring. */
  MemorySegment page(int index) {
    return pages.page(index);
  }

  void open() {
    if (closed) {
      throw new ClosedException("this session's cache was closed; create a new session");
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      pages.close();
    }
  }
}
