package io.smallmind.bench.compare;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Tells changes from noise. The estimate is the ratio of the geometric means of the rounds,
 * outliers pulled in; its standard error comes from a bootstrap over rounds, and, where the sides
 * did not take turns, from what a machine's speed changes by meanwhile; Student's distribution
 * turns it into an interval, as there are few rounds. A change counts if it passes the threshold,
 * its interval lies beyond 1, and the machine itself does not explain it. Immutable and
 * thread-safe.
 *
 * @param tolerance what is no change
 * @param rows how many rows are judged together: each is judged the more strictly for it
 * @param paired whether the sides took turns: the same place in both lists is the same moment
 */
public record ChangeDetector(Tolerance tolerance, int rows, boolean paired) {
  /**
   * What is no change.
   *
   * @param threshold smallest change that matters, as a share: 0.05 for 5 %
   * @param drift standard deviation of the speed of one build from one time to another, as a share
   */
  public record Tolerance(double threshold, double drift) {}

  /** Fewer rounds say nothing about their spread. */
  private static final int FEWEST = 3;

  private static final int RESAMPLES = 300;
  private static final long SEED = 20_260_101;

  /** A row's chance to look slower by noise alone; lower if there are more than two rows. */
  private static final double ALPHA = 0.01;

  /** The same for all rows together. */
  private static final double FAMILY_ALPHA = 0.02;

  private static final int MOST_DEGREES = 1000;

  /** Clocks and histograms resolve no better. */
  private static final double RESOLUTION = 0.001;

  private static final double NINETEEN_OF_TWENTY = 0.95;

  /** Farther from the median than so many standard deviations is pulled in. */
  private static final double FARTHEST = 3;

  /** Standard deviations by median absolute deviations, of normal values. */
  private static final double DEVIATIONS = 1.4826;

  /**
   * Compares two rows.
   *
   * @param base medians of its rounds, in nanoseconds
   * @param baseReference what the machine could do in the same rounds; 1 where not measured
   */
  public Change judge(
      List<Double> base, List<Double> head, double baseReference, double headReference) {
    double[] before = logs(base);
    double[] after = logs(head);
    boolean asPairs = paired && before.length == after.length;
    double[] pairs = asPairs ? pulledIn(differences(before, after)) : new double[0];
    before = pulledIn(before);
    after = pulledIn(after);
    double estimate = asPairs ? mean(pairs) : mean(after) - mean(before);
    double machine = Math.log(headReference / baseReference);
    double normalized = estimate + machine;
    if (Math.min(before.length, after.length) < FEWEST) {
      double ratio = Math.exp(estimate);
      return new Change(
          ratio, 0, Double.MAX_VALUE, Math.exp(normalized), Double.MAX_VALUE, Change.Kind.UNCLEAR);
    }
    double within =
        Math.max(
            RESOLUTION,
            asPairs
                ? standardError(pairs)
                : Math.hypot(standardError(before), standardError(after)));
    double between = paired ? 0 : Math.sqrt(2) * tolerance.drift;
    double error = Math.hypot(within, between);
    int ofRounds = asPairs ? before.length - 1 : before.length + after.length - 2;
    // After Welch and Satterthwaite: what is known beforehand has no uncertainty of its own.
    int degrees = (int) Math.min(MOST_DEGREES, ofRounds * Math.pow(error / within, 4));
    double alpha = Math.min(ALPHA, FAMILY_ALPHA / rows);
    double reach = StudentT.quantile(1 - alpha, degrees) * error;
    double matters = Math.log(1 + tolerance.threshold);
    Change.Kind kind = Change.Kind.SAME;
    if (estimate > matters && estimate - reach > 0 && normalized > matters / 2) {
      kind = Change.Kind.SLOWER;
    } else if (estimate < -matters && estimate + reach < 0 && normalized < -matters / 2) {
      kind = Change.Kind.FASTER;
    }
    return new Change(
        Math.exp(estimate),
        Math.exp(estimate - reach),
        Math.exp(estimate + reach),
        Math.exp(normalized),
        Math.exp(Math.max(matters, reach) + StudentT.quantile(NINETEEN_OF_TWENTY, degrees) * error),
        kind);
  }

  private static double[] logs(List<Double> times) {
    return times.stream().mapToDouble(Math::log).toArray();
  }

  private static double[] differences(double[] before, double[] after) {
    double[] differences = new double[before.length];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = after[i] - before[i];
    }
    return differences;
  }

  /** Returns the bootstrap's standard error of the mean. */
  private static double standardError(double[] values) {
    SplittableRandom random = new SplittableRandom(SEED);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < RESAMPLES; i++) {
      double mean = 0;
      for (int j = 0; j < values.length; j++) {
        mean += values[random.nextInt(values.length)] / values.length;
      }
      sum += mean;
      squares += mean * mean;
    }
    double mean = sum / RESAMPLES;
    // Drawing with replacement from so few values has too small a spread by this factor.
    double few = Math.sqrt(values.length / (values.length - 1.0));
    return few * Math.sqrt(Math.max(0, squares / RESAMPLES - mean * mean));
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  /** A hiccup must neither move the mean nor make seven rounds look wild. */
  private static double[] pulledIn(double[] values) {
    double middle = median(values);
    double[] deviations = Arrays.stream(values).map(value -> Math.abs(value - middle)).toArray();
    double reach = FARTHEST * Math.max(RESOLUTION, DEVIATIONS * median(deviations));
    return Arrays.stream(values)
        .map(value -> Math.clamp(value, middle - reach, middle + reach))
        .toArray();
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
