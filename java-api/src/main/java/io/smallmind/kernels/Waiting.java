package io.smallmind.kernels;

import java.util.concurrent.locks.LockSupport;

/**
 * How the members of a team wait: first spinning, then giving way to other threads, then asleep.
 * Each wait counts its pauses from 1 and begins with a deadline of 0. Doesn't allocate.
 */
final class Waiting {
  /** What {@link #spinOrYield} returns once sleep is due. */
  static final long SLEEP = Long.MIN_VALUE;

  /** How long a waiting thread spins before it gives way to others. */
  private static final long SPIN_NANOS = 50_000;

  /**
   * How long it spins while other threads want these processors: it may be on the very one that the
   * member it waits for needs.
   */
  private static final long CROWDED_SPIN_NANOS = 2_000;

  /** Giving way takes longer than this if another thread ran meanwhile. */
  private static final long QUICK_YIELD_NANOS = 4_000;

  /** Waits without a sign of other threads until there seem to be none. */
  private static final int CALM_WAITS = 1_000;

  /**
   * How long a waiting thread only gives way, before it sleeps: more than choosing a token takes.
   */
  private static final long YIELD_NANOS = 1_000_000;

  /** Reading the clock costs as much as some dozen pauses. */
  private static final int PAUSES_PER_CLOCK_READ = 32;

  private static final long NAP_NANOS = 50_000;

  /** Waits still to spin for a short time. Members write it as they like: it is a guess. */
  private int crowded;

  /** Spins for a while, then yields, then naps: another thread may need this processor. */
  long pause(int pauses, long deadline) {
    long next = spinOrYield(pauses, deadline);
    if (next != SLEEP) {
      return next;
    }
    if (Thread.currentThread().isInterrupted()) {
      giveWay(System.nanoTime()); // It would not sleep.
    } else {
      LockSupport.parkNanos(NAP_NANOS);
    }
    return deadline;
  }

  /**
   * Spins for a while, then yields.
   *
   * @param pauses that this wait made, this one included
   * @param deadline what the last one returned; 0 for the first
   * @return the end of spinning, or 0 if that is not known yet; {@link #SLEEP} if it waited so long
   *     that the thread should sleep: then the deadline stays
   */
  long spinOrYield(int pauses, long deadline) {
    Thread.onSpinWait();
    if (pauses % PAUSES_PER_CLOCK_READ != 0) {
      return deadline;
    }
    long now = System.nanoTime();
    if (deadline == 0) {
      return now + spinNanos();
    }
    if (now - deadline > YIELD_NANOS) {
      return SLEEP;
    }
    if (now - deadline > 0) {
      giveWay(now);
    }
    return deadline;
  }

  /** Returns how long to spin in a wait that begins. */
  private long spinNanos() {
    int waits = crowded;
    if (waits == 0) {
      return SPIN_NANOS;
    }
    crowded = waits - 1;
    return CROWDED_SPIN_NANOS;
  }

  @SuppressWarnings("ThreadPriorityCheck")
  private void giveWay(long now) {
    Thread.yield();
    if (System.nanoTime() - now > QUICK_YIELD_NANOS) {
      crowded = CALM_WAITS;
    }
  }
}
