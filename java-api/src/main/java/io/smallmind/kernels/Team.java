package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.OutOfMemoryException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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

  /** How long a waiting thread spins before it gives way to others. */
  static final long SPIN_NANOS = 50_000;

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

  private static final class PaddedInteger extends AtomicInteger {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("unused")
    private transient long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;
  }

  private static final class PaddedLong extends AtomicLong {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("unused")
    private transient long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;
  }

  /** Thrown out of a barrier on the members that wait there while another one failed. */
  private static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Abandoned() {
      super("another member failed", null, false, false);
    }
  }

  /** It has no stack trace and takes no suppressed exceptions, so that one serves all. */
  @SuppressWarnings("StaticAssignmentOfThrowable")
  private static final Abandoned ABANDONED = new Abandoned();

  private static final long STACK_BYTES = 1 << 20;

  private final int size;
  private final boolean shared;
  private final Thread[] workers;
  private final ReentrantLock turn = new ReentrantLock(true);

  /** Rises by one with every work that starts; workers wait for it. */
  private final PaddedInteger generation = new PaddedInteger();

  /** Members that have not finished the current work. */
  private final PaddedInteger unfinished = new PaddedInteger();

  private final PaddedInteger arrived = new PaddedInteger();
  private final PaddedInteger phase = new PaddedInteger();

  /** How far each member has come in work that is done step by step. */
  private final PaddedInteger[] steps;

  private final PaddedLong claimed = new PaddedLong();

  /** Workers that are parked, or about to park: a fork wakes those only. */
  private final AtomicInteger[] parked;

  /** Waits still to spin for a short time. Members write it as they like: it is a guess. */
  private int crowded;

  private @Nullable Work work;
  private volatile @Nullable Throwable failure;
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
    parked = new AtomicInteger[size];
    steps = new PaddedInteger[size];
    for (int member = 0; member < size; member++) {
      parked[member] = new PaddedInteger();
      steps[member] = new PaddedInteger();
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
    parked = new AtomicInteger[0];
    steps = new PaddedInteger[0];
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
      claimed.setPlain(0);
      if (size == 1) {
        work.run(this, 0);
        return;
      }
      this.work = work;
      failure = null;
      unfinished.setPlain(size);
      arrived.setPlain(0);
      for (PaddedInteger step : steps) {
        step.setPlain(0);
      }
      generation.set(generation.getPlain() + 1);
      for (int member = 1; member < size; member++) {
        if (parked[member].get() != 0) {
          LockSupport.unpark(workers[member - 1]);
        }
      }
      execute(work, 0);
      awaitDone();
      this.work = null;
      Throwable thrown = failure;
      if (thrown != null) {
        failure = null;
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
    return claimed.getAndAdd(count);
  }

  /**
   * Waits until every member is here. What members wrote before is visible to all after; the next
   * claim begins at 0 again. Every member must call it equally often.
   *
   * @throws IllegalStateException if a member returned from the work without calling it
   */
  public void barrier() {
    if (size == 1) {
      claimed.setPlain(0);
      return;
    }
    int now = phase.getPlain();
    if (arrived.incrementAndGet() == size) {
      arrived.setPlain(0);
      claimed.setPlain(0);
      phase.set(now + 1);
      return;
    }
    long deadline = 0;
    for (int pauses = 1; phase.getAcquire() == now; pauses++) {
      if (failure != null) {
        throw ABANDONED;
      }
      // In this order: whoever is done has passed all its barriers, and has told its failure.
      if (unfinished.getAcquire() != size && phase.getAcquire() == now && failure == null) {
        throw new IllegalStateException("a member ended its work without coming to this barrier");
      }
      deadline = pause(pauses, deadline);
    }
  }

  /**
   * Tells the members behind this one, that is of higher numbers, how far it has come: what it
   * wrote before is visible to those that {@link #follow}. Waits for nobody.
   *
   * @param member the caller's number
   * @param step that it has done, counted from 1 in each work
   */
  public void advance(int member, int step) {
    if (size > 1) {
      steps[member].setRelease(step);
    }
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
    if (size == 1) {
      return;
    }
    for (int before = 0; before < member; before++) {
      PaddedInteger done = steps[before];
      long deadline = 0;
      for (int pauses = 1; done.getAcquire() < step; pauses++) {
        if (failure != null) {
          throw ABANDONED;
        }
        // In this order: whoever is done has done its steps, and has told its failure.
        if (unfinished.getAcquire() != size && done.getAcquire() < step && failure == null) {
          throw new IllegalStateException("a member ended its work without step " + step);
        }
        deadline = pause(pauses, deadline);
      }
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
      Thread.onSpinWait();
      if (pauses % PAUSES_PER_CLOCK_READ != 0) {
        continue;
      }
      long now = System.nanoTime();
      if (deadline == 0) {
        deadline = now + spinNanos();
      } else if (now - deadline > 0 && now - deadline < YIELD_NANOS) {
        giveWay(now);
      } else if (now - deadline > 0) {
        AtomicInteger flag = parked[member];
        flag.set(1);
        while (generation.get() == seen && !closed) {
          LockSupport.park(this);
          boolean unused = Thread.interrupted(); // A pending interrupt would keep it from parking.
        }
        flag.setPlain(0);
      }
    }
  }

  private void execute(Work current, int member) {
    try {
      current.run(this, member);
    } catch (Throwable thrown) {
      fail(thrown);
    } finally {
      unfinished.getAndDecrement();
    }
  }

  private synchronized void fail(Throwable thrown) {
    if (failure == null && thrown != ABANDONED) {
      failure = thrown;
    }
  }

  private void awaitDone() {
    long deadline = 0;
    for (int pauses = 1; unfinished.getAcquire() != 0; pauses++) {
      deadline = pause(pauses, deadline);
    }
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

  /** Spins for a while, then yields, then naps: another thread may need this processor. */
  private long pause(int pauses, long deadline) {
    Thread.onSpinWait();
    if (pauses % PAUSES_PER_CLOCK_READ != 0) {
      return deadline;
    }
    long now = System.nanoTime();
    if (deadline == 0) {
      return now + spinNanos();
    }
    if (now - deadline > YIELD_NANOS && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(SPIN_NANOS);
    } else if (now - deadline > 0) {
      giveWay(now);
    }
    return deadline;
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }
}
