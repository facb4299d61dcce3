package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterleaverTest {
  private static final int ROUNDS = 3;
  private static final int BYTES = 100_000;

  /** Bookkeeping, while the JIT compiler has not finished. */
  private static final int FEW = 2_000;

  private static byte[] garbage = {};

  /** Allocates in some of its slices, in every call or in the first one. */
  private static final class Allocating extends Trial {
    private final long nanos;
    private final IntPredicate slices;
    private final boolean everyCall;
    private int slice;
    private int calls;

    Allocating(long nanos, IntPredicate slices, boolean everyCall) {
      super("allocating", Role.BACKEND, 1);
      this.nanos = nanos;
      this.slices = slices;
      this.everyCall = everyCall;
    }

    @Override
    public void begin() {
      slice++;
      calls = 0;
    }

    @Override
    public void call() {
      long end = System.nanoTime() + nanos;
      if (slices.test(slice) && (everyCall || calls == 0)) {
        garbage = new byte[BYTES];
      }
      calls++;
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
    }
  }

  private static double heapBytes(Trial trial) {
    Pace pace = new Pace(ROUNDS, 1_000_000, 1_000_000, 1_000_000_000);
    Double bytes =
        new Interleaver(pace, (one, step) -> {}).run(List.of(trial)).getFirst().heapBytesPerCall();
    assertNotNull(bytes);
    return bytes;
  }

  /** Counted where calls are timed if they are long, else in a slice of its own. */
  @ParameterizedTest
  @ValueSource(longs = {50_000, 2_000_000})
  void whatEveryCallAllocatesIsTold(long nanos) {
    assertEquals(BYTES, heapBytes(new Allocating(nanos, slice -> true, true)), FEW);
  }

  /** The first slice warms up. */
  @Test
  void whatOneSliceAllocatesIsNot() {
    for (int only = 2; only <= 1 + ROUNDS; only++) {
      int last = only;
      Trial trial = new Allocating(2_000_000, slice -> slice == last, true);
      assertEquals(0, heapBytes(trial), FEW);
    }
  }

  /** A count of its own is three. */
  @Test
  void whatOneCallAllocatesIsNot() {
    Trial trial = new Allocating(50_000, slice -> slice == 2 + ROUNDS, false);
    assertEquals(0, heapBytes(trial), FEW);
  }
}
