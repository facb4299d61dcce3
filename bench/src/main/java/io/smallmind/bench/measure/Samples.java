package io.smallmind.bench.measure;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * The times of one trial's calls. Recording doesn't allocate. Not thread-safe.
 *
 * <p>A sample is the mean of a batch of calls, in picoseconds: calls of a few nanoseconds need the
 * resolution.
 */
public final class Samples {
  private static final long HIGHEST_PICOS = 3_600_000_000_000_000L; // one hour
  private static final int DIGITS = 3;

  private final Histogram all = new Histogram(1, HIGHEST_PICOS, DIGITS);
  private final Histogram round = new Histogram(1, HIGHEST_PICOS, DIGITS);
  private final List<Double> roundMedians = new ArrayList<>();
  private double sumNanos;
  private long minPicos = Long.MAX_VALUE;
  private long maxPicos;

  /**
   * Records a batch of calls.
   *
   * @param nanos time of the whole batch
   * @param calls number of calls in it
   */
  public void record(long nanos, long calls) {
    long picos = Math.clamp(Math.round(nanos * 1e3 / calls), 1, HIGHEST_PICOS);
    round.recordValue(picos);
    sumNanos += picos / 1e3;
    minPicos = Math.min(minPicos, picos);
    maxPicos = Math.max(maxPicos, picos);
  }

  /** Ends a round: its median is kept by itself, so that rounds of trials can be paired. */
  public void endRound() {
    if (round.getTotalCount() > 0) {
      roundMedians.add(round.getValueAtPercentile(50) / 1e3);
      all.add(round);
      round.reset();
    }
  }

  /** Returns the number of samples in the rounds that ended. */
  public long count() {
    return all.getTotalCount();
  }

  /**
   * Sums the ended rounds up.
   *
   * @param callsPerSample number of calls in each sample
   */
  public Statistics statistics(long callsPerSample) {
    long median = all.getValueAtPercentile(50);
    Histogram deviations = new Histogram(1, HIGHEST_PICOS, DIGITS);
    for (var value : all.recordedValues()) {
      long deviation = Math.abs(value.getValueIteratedTo() - median);
      deviations.recordValueWithCount(deviation, value.getCountAtValueIteratedTo());
    }
    return new Statistics(
        all.getTotalCount(),
        callsPerSample,
        minPicos / 1e3,
        sumNanos / all.getTotalCount(),
        nanos(all, 50),
        nanos(all, 95),
        nanos(all, 99),
        maxPicos / 1e3,
        nanos(deviations, 50),
        nanos(all, 75) - nanos(all, 25),
        List.copyOf(roundMedians));
  }

  private static double nanos(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e3;
  }
}
