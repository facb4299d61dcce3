package io.smallmind.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChangeDetectorTest {
  private static final int TRIES = 200;
  private static final ChangeDetector.Tolerance TOLERANCE =
      new ChangeDetector.Tolerance(0.05, 0.06);

  /**
   * Medians of rounds as noisy machines give them: each run has a speed of its own, and of a single
   * one, rounds spread, and now and then there is a hiccup.
   */
  private static List<Double> rounds(
      SplittableRandom random, double nanos, Noise noise, int processes, int rounds) {
    List<Double> all = new ArrayList<>();
    for (int process = 0; process < processes; process++) {
      double own = nanos * Math.exp(noise.between * random.nextGaussian());
      for (int i = 0; i < rounds; i++) {
        double hiccup = noise.within > 0 && random.nextInt(20) == 0 ? 1.3 : 1;
        all.add(own * hiccup * Math.exp(noise.within * random.nextGaussian()));
      }
    }
    return all;
  }

  /** Standard deviations of runs, and of the rounds of a single one; 0 for runs in turns. */
  private record Noise(double between, double within) {}

  private static int slower(int seed, int rows, Noise noise, int count, double factor) {
    boolean single = noise.within > 0;
    ChangeDetector detector = new ChangeDetector(TOLERANCE, rows, !single);
    SplittableRandom random = new SplittableRandom(seed);
    int found = 0;
    for (int i = 0; i < TRIES; i++) {
      boolean slower = false;
      for (int row = 0; row < rows; row++) {
        double nanos = 1000 * (row + 1);
        double after = row == 0 ? nanos * factor : nanos;
        int processes = single ? 1 : count;
        int rounds = single ? count : 1;
        Change change =
            detector.judge(
                rounds(random, nanos, noise, processes, rounds),
                rounds(random, after, noise, processes, rounds),
                1,
                1);
        slower |= change.kind() == Change.Kind.SLOWER;
      }
      found += slower ? 1 : 0;
    }
    return found;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0.06, 0.02, 7",
    "20, 0.06, 0.005, 7",
    "20, 0.05, 0.05, 7",
    "1, 0.04, 0, 12",
    "1, 0.02, 0, 5",
    "20, 0.04, 0, 12",
    "20, 0.1, 0, 12"
  })
  void sameBuildIsNoDifferenceInNineteenOfTwenty(
      int rows, double between, double within, int count) {
    int alarms = slower(7, rows, new Noise(between, within), count, 1);
    assertTrue(alarms <= TRIES / 20, alarms + " false alarms of " + TRIES);
  }

  @ParameterizedTest
  @CsvSource({"1, 0.04, 12", "4, 0.04, 12", "20, 0.03, 12", "20, 0.01, 5"})
  void slowdownByTenPerCentIsFoundInNineteenOfTwenty(int rows, double between, int processes) {
    int found = slower(8, rows, new Noise(between, 0), processes, 1.1);
    assertTrue(found >= TRIES * 19 / 20, found + " found of " + TRIES);
  }

  /** A single run can't tell so little from the machine's changes, and says so. */
  @ParameterizedTest
  @CsvSource({"1, 0.04, 0.01, 7", "10, 0.06, 0.02, 7", "1, 0.04, 0, 12", "10, 0.06, 0, 12"})
  void whatIsSaidToBeVisibleIsFound(int rows, double between, double within, int count) {
    Noise noise = new Noise(between, within);
    boolean single = within > 0;
    SplittableRandom random = new SplittableRandom(10);
    ChangeDetector detector = new ChangeDetector(TOLERANCE, rows, !single);
    double sum = 0;
    for (int i = 0; i < TRIES; i++) {
      int processes = single ? 1 : count;
      int rounds = single ? count : 1;
      sum +=
          detector
              .judge(
                  rounds(random, 1000, noise, processes, rounds),
                  rounds(random, 1000, noise, processes, rounds),
                  1,
                  1)
              .visible();
    }
    double visible = sum / TRIES;
    assertTrue(!single || visible > 1.2, "visible: " + visible);
    int found = slower(11, rows, noise, count, visible);
    assertTrue(found >= TRIES * 9 / 10, found + " found of " + TRIES + " of " + visible);
  }

  @Test
  void pairsRemoveWhatHitsBothSides() {
    SplittableRandom random = new SplittableRandom(9);
    List<Double> base = new ArrayList<>();
    List<Double> head = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      double machine = 1000 * Math.exp(0.2 * random.nextGaussian());
      base.add(machine * Math.exp(0.01 * random.nextGaussian()));
      head.add(1.1 * machine * Math.exp(0.01 * random.nextGaussian()));
    }
    assertEquals(
        Change.Kind.SLOWER, new ChangeDetector(TOLERANCE, 20, true).judge(base, head, 1, 1).kind());
    assertEquals(
        Change.Kind.SAME, new ChangeDetector(TOLERANCE, 20, false).judge(base, head, 1, 1).kind());
  }

  @Test
  void twoRoundsAreTooFew() {
    Change change =
        new ChangeDetector(TOLERANCE, 1, false).judge(List.of(1.0, 1.0), List.of(2.0, 2.0), 1, 1);
    assertEquals(Change.Kind.UNCLEAR, change.kind());
    assertEquals(2, change.ratio(), 1e-9);
  }

  /** Values of printed tables. */
  @ParameterizedTest
  @CsvSource({"0.975, 1, 12.706", "0.95, 5, 2.015", "0.99, 12, 2.681", "0.995, 30, 2.750"})
  void quantilesAreThoseOfTables(double probability, int degrees, double expected) {
    assertEquals(expected, StudentT.quantile(probability, degrees), 6e-4);
  }
}
