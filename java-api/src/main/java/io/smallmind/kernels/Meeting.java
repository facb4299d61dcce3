package io.smallmind.kernels;

import org.jspecify.annotations.Nullable;

/**
 * Where the members of a team meet while they do the same work: all at a barrier, or each those
 * before it. A member that fails, or ends its work without meeting the others, does not leave them
 * waiting. Doesn't allocate but for errors.
 *
 * <p>One work at a time: {@link #begin}, then on each member the work and {@link #end}, then {@link
 * #awaitAll}. Whoever lets members start must make {@link #begin} visible to them.
 */
final class Meeting {
  /** Thrown out of a wait on the members that wait while another one failed. */
  private static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Abandoned() {
      super("another member failed", null, false, false);
    }
  }

  /** It has no stack trace and takes no suppressed exceptions, so that one serves all. */
  @SuppressWarnings("StaticAssignmentOfThrowable")
  private static final Abandoned ABANDONED = new Abandoned();

  private final int size;
  private final Waiting waiting;

  /** Members that have not finished the current work. */
  private final PaddedInteger unfinished = new PaddedInteger();

  private final PaddedInteger arrived = new PaddedInteger();
  private final PaddedInteger phase = new PaddedInteger();

  /** How far each member has come in work that is done step by step. */
  private final PaddedInteger[] steps;

  /** For each member, 1 until it has finished the current work. */
  private final PaddedInteger[] working;

  private final PaddedLong claimed = new PaddedLong();

  private volatile @Nullable Throwable failure;

  /**
   * Creates a meeting.
   *
   * @param size number of members
   */
  Meeting(int size, Waiting waiting) {
    this.size = size;
    this.waiting = waiting;
    steps = new PaddedInteger[size];
    working = new PaddedInteger[size];
    for (int member = 0; member < size; member++) {
      steps[member] = new PaddedInteger();
      working[member] = new PaddedInteger();
    }
  }

  /** Begins a work; nobody is at another one. */
  void begin() {
    claimed.setPlain(0);
    if (size == 1) {
      return;
    }
    failure = null;
    unfinished.setPlain(size);
    arrived.setPlain(0);
    for (int member = 0; member < size; member++) {
      steps[member].setPlain(0);
      working[member].setPlain(1);
    }
  }

  /**
   * Ends a member's work.
   *
   * @param member whose work it is
   * @param thrown what it failed with; null if it did not
   */
  void end(int member, @Nullable Throwable thrown) {
    if (thrown != null) {
      fail(thrown);
    }
    working[member].setRelease(0);
    unfinished.getAndDecrement();
  }

  private synchronized void fail(Throwable thrown) {
    if (failure == null && thrown != ABANDONED) {
      failure = thrown;
    }
  }

  /** Waits until all members have ended their work; returns what one failed with first. */
  @Nullable Throwable awaitAll() {
    long deadline = 0;
    for (int pauses = 1; unfinished.getAcquire() != 0; pauses++) {
      deadline = waiting.pause(pauses, deadline);
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
    }
    return thrown;
  }

  /** Returns the first of the next items of the current phase, and claims so many of them. */
  long claim(long count) {
    return claimed.getAndAdd(count);
  }

  /** Waits until every member is here, and ends the phase. */
  void barrier() {
    if (size == 1) {
      claimed.setPlain(0);
      return;
    }
    int next = phase.getPlain() + 1;
    if (arrived.incrementAndGet() == size) {
      arrived.setPlain(0);
      claimed.setPlain(0);
      phase.set(next);
    } else {
      await(phase, next, unfinished, size);
    }
  }

  /** Tells those behind a member that it has done a step. */
  void advance(int member, int step) {
    if (size > 1) {
      steps[member].setRelease(step);
    }
  }

  /** Waits until all members before this one have done a step. */
  void follow(int member, int step) {
    for (int before = 0; before < member; before++) {
      await(steps[before], step, working[before], 1);
    }
  }

  /**
   * Waits until a count, which members raise, has come so far.
   *
   * @param left how many are still at work, of those who are to raise it
   * @param all of them
   */
  private void await(PaddedInteger count, int goal, PaddedInteger left, int all) {
    long deadline = 0;
    for (int pauses = 1; count.getAcquire() - goal < 0; pauses++) {
      if (failure != null) {
        throw ABANDONED;
      }
      // In this order: whoever is done has raised all its counts, and has told its failure.
      if (left.getAcquire() != all && count.getAcquire() - goal < 0 && failure == null) {
        throw new IllegalStateException(
            "a member ended its work without coming to "
                + (count == phase ? "this barrier" : "step " + goal));
      }
      deadline = waiting.pause(pauses, deadline);
    }
  }
}
