package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A team of as many members as the machine has processors: at least two on any machine of ours. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TeamTest {
  private static final int SIZE = Machine.availableProcessors();

  private final Team team = new Team(SIZE);

  @AfterEach
  void close() {
    team.close();
  }

  @Test
  void runsEveryMemberOncePerRun() {
    int[] runs = new int[SIZE * 16]; // One cache line per member, written without synchronization.
    Team.Work work = (t, member) -> runs[member * 16]++;
    for (int run = 1; run <= 100_000; run++) {
      team.run(work);
      for (int member = 0; member < SIZE; member++) {
        assertEquals(run, runs[member * 16]);
      }
    }
  }

  @Test
  void wakesMembersThatHaveParked() throws InterruptedException {
    AtomicInteger runs = new AtomicInteger();
    for (int run = 1; run <= 200; run++) {
      Thread.sleep(0, 100_000 + 5_000 * (run % 40)); // Around the moment at which they park.
      team.run((t, member) -> runs.incrementAndGet());
      assertEquals(run * SIZE, runs.get());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 7, 8, 63, 64, 1000, 12_345})
  void rangesCoverEveryItemOnce(long total) {
    AtomicIntegerArray taken = new AtomicIntegerArray((int) total);
    for (long grain : new long[] {1, 8, 100}) {
      team.forRanges(
          total,
          grain,
          (begin, end) -> {
            assertEquals(0, begin % grain);
            assertTrue(end % grain == 0 || end == total);
            for (long i = begin; i < end; i++) {
              taken.incrementAndGet((int) i);
            }
          });
    }
    for (int i = 0; i < total; i++) {
      assertEquals(3, taken.get(i));
    }
  }

  @Test
  void refusesAGrainBelowOne() {
    assertThrows(BadArgumentException.class, () -> team.forRanges(8, 0, (begin, end) -> {}));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, Integer.MAX_VALUE})
  void refusesASizeOutOfRange(int size) {
    var thrown = assertThrows(BadArgumentException.class, () -> new Team(size));
    assertTrue(thrown.getMessage().contains("threads = " + size), thrown.getMessage());
  }

  @Test
  void callersFromManyThreadsTakeTurns() throws Exception {
    try (ExecutorService platform = Executors.newFixedThreadPool(3);
        ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> callers = new ArrayList<>();
      AtomicInteger inside = new AtomicInteger();
      for (int caller = 0; caller < 6; caller++) {
        callers.add(
            (caller < 3 ? platform : virtual)
                .submit(
                    () -> {
                      long[] sums = new long[SIZE * 16];
                      for (int run = 1; run <= 1000; run++) {
                        team.run(
                            (t, member) -> {
                              inside.incrementAndGet();
                              t.barrier();
                              assertEquals(SIZE, inside.get());
                              sums[member * 16]++;
                              t.barrier();
                              inside.decrementAndGet();
                            });
                        for (int member = 0; member < SIZE; member++) {
                          assertEquals(run, sums[member * 16]);
                        }
                      }
                    }));
      }
      for (Future<?> caller : callers) {
        caller.get();
      }
    }
  }

  @Test
  void throwsWhatAMemberThrewAndStaysUsable() {
    for (int run = 0; run < 2000; run++) {
      int failing = run % SIZE;
      Throwable error =
          run % 3 == 0 ? new AssertionError("planned") : new IllegalArgumentException();
      Throwable thrown =
          assertThrows(
              error.getClass(),
              () ->
                  team.run(
                      (t, member) -> {
                        t.barrier();
                        if (member == failing) {
                          throwUnchecked(error);
                        }
                        t.barrier(); // The others wait here, and must be let go.
                        t.barrier();
                      }));
      assertSame(error, thrown);
      AtomicInteger runs = new AtomicInteger();
      team.run(
          (t, member) -> {
            runs.incrementAndGet();
            t.barrier();
            assertEquals(SIZE, runs.get());
          });
    }
  }

  private static void throwUnchecked(Throwable error) {
    if (error instanceof Error e) {
      throw e;
    }
    throw (RuntimeException) error;
  }

  @Test
  void workOfAMemberOnItsOwnTeamRunsAlone() {
    AtomicInteger inner = new AtomicInteger();
    AtomicIntegerArray taken = new AtomicIntegerArray(100);
    team.run(
        (t, member) -> {
          long before = t.claim(1);
          team.run(
              (alone, only) -> {
                assertEquals(1, alone.size());
                assertEquals(0, only);
                assertEquals(0, alone.claim(5));
                alone.run((deeper, self) -> assertEquals(0, deeper.claim(5)));
                assertEquals(5, alone.claim(5));
                alone.barrier();
                assertEquals(0, alone.claim(5));
                inner.incrementAndGet();
              });
          team.forRanges(100, 1, (begin, end) -> addAll(taken, begin, end));
          assertTrue(t.claim(1) > before);
        });
    assertEquals(SIZE, inner.get());
    for (int i = 0; i < 100; i++) {
      assertEquals(SIZE, taken.get(i));
    }
  }

  private static void addAll(AtomicIntegerArray taken, long begin, long end) {
    for (long i = begin; i < end; i++) {
      taken.incrementAndGet((int) i);
    }
  }

  @Test
  void aTeamOfOneRunsOnTheCaller() {
    try (Team one = new Team(1)) {
      Thread caller = Thread.currentThread();
      one.run(
          (t, member) -> {
            assertSame(caller, Thread.currentThread());
            assertEquals(0, member);
            assertEquals(0, t.claim(3));
            t.barrier();
            assertEquals(0, t.claim(3));
          });
    }
  }

  @Test
  void aClosedTeamRefusesWorkAndItsThreadsEnd() throws InterruptedException {
    Thread[] members = threads(team);
    Thread.sleep(5); // Idle, so that they have parked.
    team.close();
    team.close();
    for (int member = 1; member < SIZE; member++) {
      members[member].join(10_000);
      assertFalse(members[member].isAlive());
    }
    assertThrows(ClosedException.class, () -> team.run((t, member) -> {}));
  }

  @Test
  void closeWaitsForTheWork() throws Exception {
    CountDownLatch started = new CountDownLatch(SIZE);
    CountDownLatch release = new CountDownLatch(1);
    AtomicBoolean finished = new AtomicBoolean();
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  team.run(
                      (t, member) -> {
                        started.countDown();
                        awaitQuietly(release);
                      });
                  finished.set(true);
                });
    started.await();
    Thread closer = Thread.ofPlatform().start(team::close);
    closer.join(50);
    assertTrue(closer.isAlive());
    release.countDown();
    closer.join();
    caller.join();
    assertTrue(finished.get());
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void closingFromItsOwnWorkOrClosingTheSharedTeamIsRefused() {
    assertThrows(IllegalStateException.class, () -> team.run((t, member) -> t.close()));
    assertThrows(IllegalStateException.class, () -> Team.shared().close());
    AtomicInteger runs = new AtomicInteger();
    team.run((t, member) -> runs.incrementAndGet());
    assertEquals(SIZE, runs.get());
  }

  @Test
  void idleMembersUseNoProcessor() throws InterruptedException {
    assertQuiet(threads(team));
  }

  @Test
  void interruptedMembersStayQuietAndTheCallersInterruptStaysPending() throws InterruptedException {
    Thread[] members = threads(team);
    for (int member = 1; member < SIZE; member++) {
      members[member].interrupt();
    }
    assertQuiet(members);
    Thread.currentThread().interrupt();
    AtomicInteger runs = new AtomicInteger();
    for (int run = 0; run < 100; run++) {
      team.run(
          (t, member) -> {
            t.barrier();
            if (member != 0) {
              busy(2_000_000); // The caller waits longer than it spins.
            }
            runs.incrementAndGet();
          });
    }
    assertTrue(Thread.interrupted());
    assertEquals(100 * SIZE, runs.get());
  }

  /** Idle threads grow by nothing; one that spins would use all of the time. */
  private static void assertQuiet(Thread[] members) throws InterruptedException {
    var threads = ManagementFactory.getThreadMXBean();
    Thread.sleep(50);
    long[] before = new long[SIZE];
    for (int member = 1; member < SIZE; member++) {
      before[member] = threads.getThreadCpuTime(members[member].threadId());
    }
    Thread.sleep(250);
    for (int member = 1; member < SIZE; member++) {
      long used = threads.getThreadCpuTime(members[member].threadId()) - before[member];
      assertTrue(used < 5_000_000, "idle member " + member + " used " + used + " ns");
    }
  }

  @Test
  void aRunAllocatesNothing() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    Team.Work work =
        (t, member) -> {
          t.claim(1);
          t.barrier();
        };
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 10 && least != 0; attempt++) {
      long before = threads.getTotalThreadAllocatedBytes();
      long mine = threads.getCurrentThreadAllocatedBytes();
      for (int run = 0; run < 1000; run++) {
        team.run(work);
      }
      long byCaller = threads.getCurrentThreadAllocatedBytes() - mine;
      long byAll = threads.getTotalThreadAllocatedBytes() - before;
      least = Math.min(least, byCaller == 0 ? 0 : byAll);
    }
    assertEquals(0, least);
  }

  @Test
  void makesProgressBesideBusyForeignThreads() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> foreign = new ArrayList<>();
    for (int i = 0; i < 2 * SIZE; i++) {
      foreign.add(
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    while (!stop.get()) {
                      Thread.onSpinWait();
                    }
                  }));
    }
    try {
      AtomicInteger steps = new AtomicInteger();
      for (int run = 0; run < 20; run++) {
        team.run(
            (t, member) -> {
              for (int step = 0; step < 5; step++) {
                steps.incrementAndGet();
                t.barrier();
              }
            });
      }
      assertEquals(20 * 5 * SIZE, steps.get());
    } finally {
      stop.set(true);
      for (Thread thread : foreign) {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      }
    }
  }

  @Test
  void twoTeamsWorkSideBySide() throws Exception {
    try (Team other = new Team(SIZE)) {
      long[] sums = new long[2];
      Thread second = Thread.ofPlatform().start(() -> sums[1] = sum(other));
      sums[0] = sum(team);
      second.join();
      assertArrayEquals(new long[] {499_500L * 500, 499_500L * 500}, sums);
    }
  }

  private static long sum(Team team) {
    AtomicLong sum = new AtomicLong();
    for (int run = 0; run < 500; run++) {
      team.forRanges(
          1000,
          1,
          (begin, end) -> {
            for (long i = begin; i < end; i++) {
              sum.addAndGet(i);
            }
          });
    }
    return sum.get();
  }

  private static Thread[] threads(Team team) {
    Thread[] threads = new Thread[SIZE];
    team.run((t, member) -> threads[member] = Thread.currentThread());
    for (int member = 0; member < SIZE; member++) {
      assertNotNull(threads[member]);
      assertTrue(member == 0 || threads[member].isDaemon());
    }
    return threads;
  }

  private static void busy(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }
}
