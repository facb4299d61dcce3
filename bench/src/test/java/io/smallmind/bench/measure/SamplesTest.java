package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SamplesTest {
  /** Three digits are kept. */
  private static void assertClose(double expected, double actual) {
    assertEquals(expected, actual, expected * 1e-3);
  }

  @Test
  void percentilesOfOneToHundred() {
    Samples samples = new Samples();
    for (int i = 100; i >= 1; i--) {
      samples.record(i * 1000L, 1);
    }
    samples.endRound();
    Statistics statistics = samples.statistics(1);
    assertEquals(100, statistics.samples());
    assertClose(1_000, statistics.min());
    assertClose(100_000, statistics.max());
    assertClose(50_500, statistics.mean());
    assertClose(50_000, statistics.median());
    assertClose(95_000, statistics.p95());
    assertClose(99_000, statistics.p99());
    assertClose(50_000, statistics.iqr());
    assertClose(25_000, statistics.mad());
    assertClose(0.5, statistics.spread());
  }

  @Test
  void outlierMovesTheMaximumOnly() {
    Samples samples = new Samples();
    for (int i = 0; i < 999; i++) {
      samples.record(2_000, 1);
    }
    samples.record(5_000_000, 1);
    samples.endRound();
    Statistics statistics = samples.statistics(1);
    assertClose(2_000, statistics.median());
    assertClose(2_000, statistics.p99());
    assertClose(5_000_000, statistics.max());
    assertEquals(0, statistics.mad(), 2);
  }

  @Test
  void batchesAreTimesOfOneCall() {
    Samples samples = new Samples();
    samples.record(12_345, 1000);
    samples.endRound();
    assertClose(12.345, samples.statistics(1000).median());
  }

  @Test
  void roundsKeepTheirMedians() {
    Samples samples = new Samples();
    for (int round = 1; round <= 3; round++) {
      for (int i = -1; i <= 1; i++) {
        samples.record(round * 10_000L + i * 1000L, 1);
      }
      samples.endRound();
    }
    List<Double> medians = samples.statistics(1).roundMedians();
    assertEquals(3, medians.size());
    assertClose(10_000, medians.get(0));
    assertClose(20_000, medians.get(1));
    assertClose(30_000, medians.get(2));
  }
}
