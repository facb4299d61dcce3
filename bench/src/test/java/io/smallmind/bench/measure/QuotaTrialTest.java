package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.smallmind.bench.host.CpuGroup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuotaTrialTest {
  /** Computes for a millisecond, and remembers when it took much longer. */
  private static final class Busy extends Trial {
    int calls;

    Busy(Role role) {
      super("busy bee", role, 1);
    }

    @Override
    public void call() {
      calls++;
      long begin = System.nanoTime();
      while (System.nanoTime() - begin < 1_000_000) {
        Thread.onSpinWait();
      }
    }
  }

  private static long nanosPerCall(Trial trial) {
    List<Long> samples = new ArrayList<>();
    trial.begin();
    try {
      assertTrue(trial.timeSlice(samples::add));
    } finally {
      trial.end();
    }
    assertEquals(1, samples.size());
    return samples.getFirst();
  }

  @Test
  void sliceWithoutQuotaIsTheMeanOfItsCalls() {
    Busy busy = new Busy(Role.BASELINE);
    QuotaTrial trial = new QuotaTrial(busy, null);
    assertEquals("busy bee", trial.variant());
    assertEquals(Role.BASELINE, trial.role());
    long nanos = nanosPerCall(trial);
    assertTrue(nanos >= 1_000_000, () -> nanos + " ns");
    assertTrue(busy.calls * nanos > 900_000_000L, () -> busy.calls + " calls of " + nanos);
  }

  /** A quarter of a processor leaves a quarter of the calls, though each of most is as fast. */
  @Test
  void quotaShowsInTheMean() {
    try (CpuGroup group = CpuGroup.create(0.25)) {
      QuotaTrial trial = new QuotaTrial(new Busy(Role.BACKEND), group);
      assertEquals("busy bee quota 0.25", trial.variant());
      assertEquals(Role.VARIANT, trial.role());
      assertEquals(Role.BASELINE_VARIANT, new QuotaTrial(new Busy(Role.BASELINE), group).role());
      long nanos = nanosPerCall(trial);
      assertTrue(nanos > 2_500_000, () -> nanos + " ns");
    } catch (IOException e) {
      abort("no quota here: " + e.getMessage());
    }
  }

  @Test
  void namesOfConditionsAreTakenApart() {
    for (String[] name :
        new String[][] {
          {"plain Vector API", ""},
          {"llama.cpp", "quota 1.5"},
          {"plain Vector API", "quota 0.25"},
          {"native-avx2", "beside 1"},
          {"native-avx2", "mapped"},
        }) {
      String variant = Condition.of(name[0], name[1]);
      assertEquals(name[0], Condition.backend(variant));
      assertEquals(name[1], Condition.in(variant));
    }
  }
}
