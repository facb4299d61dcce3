package io.smallmind.tensor;

import io.smallmind.error.ClosedException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets a resource be closed while others still use it: closing refuses new users at once, and frees
 * the resource when the last one lets go. Kernels work on raw addresses, so whoever starts them
 * must hold what they read and write. Thread-safe; holding doesn't allocate.
 */
public final class Lifetime implements AutoCloseable {
  private static final int CLOSED = 1 << 30;

  /** The number of holders; {@link #CLOSED} is added once by close. */
  private final AtomicInteger state = new AtomicInteger();

  private final String what;
  private final Runnable free;

  /**
   * Begins a life.
   *
   * @param what names the resource in errors, such as "this memory"
   * @param free runs once, when the resource is closed and nobody holds it
   */
  public Lifetime(String what, Runnable free) {
    this.what = what;
    this.free = free;
  }

  /**
   * Keeps the resource from being freed until {@link #release()}.
   *
   * @throws ClosedException if it was closed
   */
  public void acquire() {
    for (; ; ) {
      int now = state.get();
      if (now >= CLOSED) {
        throw new ClosedException(what + " was closed; open or create it anew");
      }
      if (state.compareAndSet(now, now + 1)) {
        return;
      }
    }
  }

  /** Lets go of what {@link #acquire()} held. */
  public void release() {
    if (state.decrementAndGet() == CLOSED) {
      free.run();
    }
  }

  /** Tells whether {@link #close()} was called. */
  public boolean isClosed() {
    return state.get() >= CLOSED;
  }

  /** Frees the resource as soon as nobody holds it; closing twice does nothing. */
  @Override
  public void close() {
    for (; ; ) {
      int now = state.get();
      if (now >= CLOSED) {
        return;
      }
      if (state.compareAndSet(now, now + CLOSED)) {
        if (now == 0) {
          free.run();
        }
        return;
      }
    }
  }
}
