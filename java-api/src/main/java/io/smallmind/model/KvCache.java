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
  private volatile int length; // volatile for those who only look how far it is
  private boolean closed;

  KvCache(ModelConfig config, TensorType type, int capacity) {
    pages = new KvPages(type, config.layers(), config.kvHeads(), config.headDim());
    this.capacity = capacity;
  }

  /** Returns the number of tokens that are remembered; may be asked by any thread. */
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
   * Forgets the last tokens; the memory stays for those to come.
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
  }

  /** Frees the memory of what was forgotten. */
  public void trim() {
    open();
    pages.shrink(length);
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
            other.pages.type(), other.pages.layers(), other.pages.kvHeads(), other.pages.headDim());
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

  /** Returns one page's memory, for saving and restoring. */
  public MemorySegment page(int index) {
    open();
    return pages.page(index);
  }

  /** Returns the size of a page's memory. */
  public long pageBytes() {
    return pages.pageBytes();
  }

  /** Returns the number of pages that hold the remembered tokens. */
  public int pagesInUse() {
    return pagesFor(length);
  }

  /** Returns the number of pages that hold so many tokens. */
  public int pagesFor(int tokens) {
    return (tokens + KvPages.PAGE_LENGTH - 1) / KvPages.PAGE_LENGTH;
  }

  /**
   * Takes the pages as filled by {@link #page}, with so many tokens.
   *
   * @throws BadArgumentException if memory for them was not reserved
   */
  public void restored(int tokens) {
    open();
    if (tokens < 0 || tokens > pages.capacity()) {
      throw new BadArgumentException("no memory was reserved for " + tokens + " tokens");
    }
    length = tokens;
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
