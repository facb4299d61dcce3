package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.OutOfMemoryException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The threads that compute: a fixed number of members that run the same work at the same time. The
 * calling thread is member 0; the others are daemon threads that wait for work, first spinning,
 * then giving way to other threads, then parked: an idle team uses no CPU.
 *
 * <p>Any thread may call; callers that come at the same time take turns, in the order they came.
 * Work that a member starts on its own team runs on that member alone, as a team of one. {@link
 * #run}, {@link #barrier}, {@link #follow} and {@link #claim} don't allocate, unless callers
 * compete.
 */
public final class Team implements AutoCloseable {
  /** What every member does between fork and join. */
  @FunctionalInterface
  public interface Work {
    /**
     * Runs on one member.
     *
     * @param team for {@link Team#size}, {@link Team#barrier} and {@link Team#claim}
     * @param member 0 to size − 1
     */
    void run(Team team, int member);
  }

  /** Work on a range of independent items. */
  @FunctionalInterface
  public interface RangeWork {
    /** Works on items begin (inclusive) to end (exclusive). */
    void run(long begin, long end);
  }

  private static final long STACK_BYTES = 1 << 20;

  private final int size;
  private final boolean shared;
  private final Thread[] workers;
  private final ReentrantLock turn = new ReentrantLock(true);

  /** Rises by one with every work that starts; workers wait for it. */
  private final PaddedInteger generation = new PaddedInteger();

  private final Waiting waiting = new Waiting();
  private final Meeting meeting;

  /** Workers that are parked, or about to park: a fork wakes those only. */
  private final AtomicInteger[] parked;

  private @Nullable Work work;
  private volatile boolean closed;

  /**
   * Starts a team.
   *
   * @param size number of members, the caller included: 1 to the processors of this machine
   * @throws BadArgumentException if size is out of range
   */
  public Team(int size) {
    this(size, false);
  }

  private Team(int size, boolean shared) {
    int processors = Machine.availableProcessors();
    if (size < 1 || size > processors) {
      throw new BadArgumentException(
          "threads = " + size + ": choose 1 to " + processors + ", the processors of this machine");
    }
    this.size = size;
    this.shared = shared;
    workers = new Thread[size - 1];
    meeting = new Meeting(size, waiting);
    parked = new AtomicInteger[size];
    for (int member = 0; member < size; member++) {
      parked[member] = new PaddedInteger();
    }
    for (int member = 1; member < size; member++) {
      int self = member;
      workers[member - 1] =
          Thread.ofPlatform()
              .name("smallmind-" + member)
              .daemon()
              .stackSize(STACK_BYTES)
              .inheritInheritableThreadLocals(false)
              .unstarted(() -> serve(self));
    }
    try {
      for (Thread worker : workers) {
        worker.start();
      }
    } catch (OutOfMemoryError e) {
      stop(); // Those that did start.
      throw new OutOfMemoryException(
          "the system refuses the " + (size - 1) + " threads of a team: allow more, or use fewer",
          e);
    }
  }

  /** A team of the caller alone. */
  private Team() {
    size = 1;
    shared = false;
    workers = new Thread[0];
    meeting = new Meeting(1, waiting);
    parked = new AtomicInteger[0];
  }

  /** Returns the team of this JVM, with {@link Machine#computeThreads()} members; never closed. */
  public static Team shared() {
    return Shared.TEAM;
  }

  private static final class Shared {
    static final Team TEAM = new Team(Machine.computeThreads(), true);
  }

  /** Returns the number of members. */
  public int size() {
    return size;
  }

  /**
   * Runs work on every member and returns when all are done. An interrupt of the caller doesn't end
   * the work and stays pending.
   *
   * @throws ClosedException if the team was closed
   * @throws RuntimeException whatever a member threw first, the same for an Error
   */
  public void run(Work work) {
    if (isMember()) {
      new Team().run(work);
      return;
    }
    turn.lock();
    try {
      if (closed) {
        throw new ClosedException("this team was closed; create a new one");
      }
      meeting.begin();
      if (size == 1) {
        work.run(this, 0);
        return;
      }
      this.work = work;
      generation.set(generation.getPlain() + 1);
      for (int member = 1; member < size; member++) {
        if (parked[member].get() != 0) {
          LockSupport.unpark(workers[member - 1]);
        }
      }
      execute(work, 0);
      Throwable thrown = meeting.awaitAll();
      this.work = null;
      if (thrown != null) {
        throw Team.<RuntimeException>sneaky(thrown);
      }
    } finally {
      turn.unlock();
    }
  }

  /**
   * Splits items into ranges and runs them on all members, each taking the next range when it is
   * done with one.
   *
   * @param total number of items
   * @param grain smallest length of a range worth handing out; ranges are multiples of it, but for
   *     the last
   * @throws BadArgumentException if grain is less than 1
   */
  public void forRanges(long total, long grain, RangeWork ranges) {
    if (grain < 1) {
      throw new BadArgumentException("grain = " + grain + ": choose 1 or more");
    }
    if (total <= 0) {
      return;
    }
    long perMember = total / (size * (long) RANGES_PER_MEMBER);
    long length = Math.max(1, perMember / grain) * grain;
    if (size == 1 || total <= length) {
      ranges.run(0, total);
      return;
    }
    run(
        (team, member) -> {
          for (long begin = team.claim(length); begin < total; begin = team.claim(length)) {
            ranges.run(begin, Math.min(total, begin + length));
          }
        });
  }

  /** Enough for members of unequal speed to end together, few enough to cost nothing. */
  private static final int RANGES_PER_MEMBER = 8;

  /**
   * Claims the next items of the current phase; phases end at barriers.
   *
   * @param count how many
   * @return the first of them; may lie behind the last item that there is
   */
  public long claim(long count) {
    return meeting.claim(count);
  }

  /**
   * Waits until every member is here. What members wrote before is visible to all after; the next
   * claim begins at 0 again. Every member must call it equally often.
   *
   * @throws IllegalStateException if a member returned from the work without calling it
   */
  public void barrier() {
    meeting.barrier();
  }

  /**
   * Tells the members behind this one, that is of higher numbers, how far it has come: what it
   * wrote before is visible to those that {@link #follow}. Waits for nobody.
   *
   * @param member the caller's number
   * @param step that it has done, counted from 1 in each work
   */
  public void advance(int member, int step) {
    meeting.advance(member, step);
  }

  /**
   * Waits until all members before this one, that is of lower numbers, have {@link #advance done} a
   * step. Where members depend on those before them only, this costs less than barriers: who is
   * late at one step can catch up at the next.
   *
   * @param member the caller's number
   * @throws IllegalStateException if one of them ended its work without that step
   */
  public void follow(int member, int step) {
    if (size > 1) {
      meeting.follow(member, step);
    }
  }

  /**
   * Stops the threads once the current work is done; later work throws.
   *
   * @throws IllegalStateException if called from the team's own work, or on the shared team
   */
  @Override
  public void close() {
    if (isMember()) {
      throw new IllegalStateException("a member can't close its own team");
    }
    if (shared) {
      throw new IllegalStateException("the shared team is never closed");
    }
    turn.lock();
    try {
      stop();
    } finally {
      turn.unlock();
    }
  }

  private void stop() {
    closed = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
  }

  /** Whether the calling thread is at work for this team. */
  private boolean isMember() {
    if (turn.isHeldByCurrentThread()) {
      return true;
    }
    Thread current = Thread.currentThread();
    for (Thread worker : workers) {
      if (worker == current) {
        return true;
      }
    }
    return false;
  }

  /** The life of a worker. */
  private void serve(int member) {
    int seen = 0;
    while (awaitWork(member, seen)) {
      seen = generation.getAcquire();
      Work current = work;
      if (current != null) {
        execute(current, member);
      }
    }
  }

  /** Returns true when there is new work, false when the team was closed. */
  private boolean awaitWork(int member, int seen) {
    long deadline = 0;
    for (int pauses = 1; ; pauses++) {
      if (generation.getAcquire() != seen) {
        return true;
      }
      if (closed) {
        return false;
      }
      long next = waiting.spinOrYield(pauses, deadline);
      if (next != Waiting.SLEEP) {
        deadline = next;
        continue;
      }
      AtomicInteger flag = parked[member];
      flag.set(1);
      while (generation.get() == seen && !closed) {
        LockSupport.park(this);
        boolean unused = Thread.interrupted(); // A pending interrupt would keep it from parking.
      }
      flag.setPlain(0);
    }
  }

  private void execute(Work current, int member) {
    Throwable failure = null;
    try {
      current.run(this, member);
    } catch (Throwable thrown) {
      failure = thrown;
    } finally {
      meeting.end(member, failure);
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }
}
