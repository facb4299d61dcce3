package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads of the test's own meet; there may be more of them than processors. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class MeetingTest {
  private static final int SIZE = Math.max(4, Machine.availableProcessors());

  private final Meeting meeting = new Meeting(SIZE, new Waiting());

  /** Runs work on every member; throws what one of them threw first. */
  private void together(IntConsumer work) {
    meeting.begin();
    Thread[] others = new Thread[SIZE];
    for (int member = 1; member < SIZE; member++) {
      int self = member;
      others[member] = Thread.ofPlatform().daemon().start(() -> execute(work, self));
    }
    execute(work, 0);
    Throwable thrown = meeting.awaitAll();
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    assertSame(null, thrown);
  }

  private void execute(IntConsumer work, int member) {
    Throwable failure = null;
    try {
      work.accept(member);
    } catch (RuntimeException e) {
      failure = e;
    } finally {
      meeting.end(member, failure);
    }
  }

  @Test
  void barrierShowsWhatTheOthersWrote() {
    int steps = 20_000;
    long[] written = new long[SIZE * 16];
    AtomicLong mistakes = new AtomicLong();
    together(
        member -> {
          for (int step = 1; step <= steps; step++) {
            written[member * 16] = step;
            meeting.barrier();
            for (int other = 0; other < SIZE; other++) {
              if (written[other * 16] != step) {
                mistakes.incrementAndGet();
              }
            }
            meeting.barrier();
          }
        });
    assertEquals(0, mistakes.get());
  }

  @Test
  void whoFollowsSeesWhatThoseBeforeWrote() {
    int steps = 20_000;
    long[] written = new long[SIZE * 16];
    AtomicLong mistakes = new AtomicLong();
    for (int run = 0; run < 2; run++) {
      Arrays.fill(written, 0);
      together(
          member -> {
            for (int step = 1; step <= steps; step++) {
              written[member * 16] = step;
              meeting.advance(member, step);
              meeting.follow(member, step);
              for (int before = 0; before < member; before++) {
                if (written[before * 16] < step) {
                  mistakes.incrementAndGet();
                }
              }
            }
          });
    }
    assertEquals(0, mistakes.get());
  }

  /** A member that waited for one behind it would wait for ever. */
  @Test
  void whoLeadsWaitsForNobody() {
    together(
        member -> {
          if (member == SIZE - 1) {
            meeting.follow(member, 100);
          } else {
            for (int step = 1; step <= 100; step++) {
              meeting.advance(member, step);
              meeting.follow(member, step);
            }
          }
        });
  }

  /** Members that are done may end their work while others still wait for one between. */
  @Test
  void whoHasDoneItsStepsMayEnd() {
    for (int run = 0; run < 20; run++) {
      together(
          member -> {
            if (member == 1) {
              LockSupport.parkNanos(1_000_000);
            }
            meeting.advance(member, 1);
            meeting.follow(member, 1);
          });
    }
  }

  @Test
  void aMissedStepIsAnErrorInsteadOfAHang() {
    assertThrows(
        IllegalStateException.class,
        () ->
            together(
                member -> {
                  if (member > 0) {
                    meeting.follow(member, 1);
                  }
                }));
    var planned = new IllegalArgumentException("planned");
    assertSame(
        planned,
        assertThrows(
            IllegalArgumentException.class,
            () ->
                together(
                    member -> {
                      if (member == 0) {
                        throw planned;
                      }
                      meeting.follow(member, 1);
                    })));
  }

  @Test
  void claimsHandOutEveryItemOnceAndBeginAgainAfterABarrier() {
    int items = 1003;
    int phases = 200;
    AtomicIntegerArray taken = new AtomicIntegerArray(items);
    for (int run = 0; run < 3; run++) {
      together(
          member -> {
            for (int phase = 0; phase < phases; phase++) {
              for (long first = meeting.claim(7); first < items; first = meeting.claim(7)) {
                for (long i = first; i < Math.min(items, first + 7); i++) {
                  taken.incrementAndGet((int) i);
                }
              }
              meeting.barrier();
            }
          });
    }
    for (int i = 0; i < items; i++) {
      assertEquals(3 * phases, taken.get(i));
    }
  }

  @Test
  void aMissedBarrierIsAnErrorInsteadOfAHang() {
    for (int missing = 0; missing < SIZE; missing++) {
      int absent = missing;
      assertThrows(
          IllegalStateException.class,
          () ->
              together(
                  member -> {
                    if (member != absent) {
                      meeting.barrier();
                    }
                  }));
    }
  }

  @Test
  void aMeetingOfOneWaitsForNobody() {
    Meeting alone = new Meeting(1, new Waiting());
    alone.begin();
    assertEquals(0, alone.claim(3));
    assertEquals(3, alone.claim(3));
    alone.barrier();
    assertEquals(0, alone.claim(3));
    alone.advance(0, 1);
    alone.follow(0, 7);
  }
}
