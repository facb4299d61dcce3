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
  private static final int ROWS = 20;

  /** Medians of rounds as noisy machines give them: some spread, and now and then a hiccup. */
  private static List<Double> rounds(
      SplittableRandom random, double nanos, double spread, int count) {
    double ofThisRun = nanos * Math.exp(0.01 * random.nextGaussian());
    List<Double> rounds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double hiccup = random.nextInt(20) == 0 ? 1.3 : 1;
      rounds.add(ofThisRun * hiccup * Math.exp(spread * random.nextGaussian()));
    }
    return rounds;
  }

  private static boolean isSlower(
      SplittableRandom random, double spread, int count, int slowRow, double factor) {
    ChangeDetector detector = new ChangeDetector(0.05, ROWS, false);
    boolean slower = false;
    for (int row = 0; row < ROWS; row++) {
      double nanos = 1000 * (row + 1);
      Change change =
          detector.judge(
              rounds(random, nanos, spread, count),
              rounds(random, row == slowRow ? nanos * factor : nanos, spread, count),
              1,
              1);
      slower |= change.kind() == Change.Kind.SLOWER;
    }
    return slower;
  }

  @ParameterizedTest
  @CsvSource({"0.005, 7", "0.02, 7", "0.03, 7", "0.05, 7", "0.02, 15"})
  void sameBuildIsNoDifferenceInNineteenOfTwenty(double spread, int count) {
    SplittableRandom random = new SplittableRandom(7);
    int alarms = 0;
    for (int i = 0; i < TRIES; i++) {
      alarms += isSlower(random, spread, count, -1, 1) ? 1 : 0;
    }
    assertTrue(alarms <= TRIES / 20, alarms + " false alarms of " + TRIES);
  }

  @ParameterizedTest
  @CsvSource({"0.005, 7", "0.015, 7", "0.02, 15"})
  void slowdownByTenPerCentIsFoundInNineteenOfTwenty(double spread, int count) {
    SplittableRandom random = new SplittableRandom(8);
    int found = 0;
    for (int i = 0; i < TRIES; i++) {
      found += isSlower(random, spread, count, 3, 1.1) ? 1 : 0;
    }
    assertTrue(found >= TRIES * 19 / 20, found + " found of " + TRIES);
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
        Change.Kind.SLOWER, new ChangeDetector(0.05, 20, true).judge(base, head, 1, 1).kind());
    assertEquals(
        Change.Kind.SAME, new ChangeDetector(0.05, 20, false).judge(base, head, 1, 1).kind());
  }

  @Test
  void twoRoundsAreTooFew() {
    Change change =
        new ChangeDetector(0.05, 1, false).judge(List.of(1.0, 1.0), List.of(2.0, 2.0), 1, 1);
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
