package io.smallmind.bench.measure;

import java.util.List;

/**
 * What a trial's calls took, in nanoseconds per call.
 *
 * @param samples how many times the clock was read around calls
 * @param callsPerSample how many calls lie between two readings: 1, unless a call is very short
 * @param mad median of the absolute deviations from the median
 * @param iqr distance of the quartiles
 * @param roundMedians the median of each round, in order
 */
public record Statistics(
    long samples,
    long callsPerSample,
    double min,
    double mean,
    double median,
    double p95,
    double p99,
    double max,
    double mad,
    double iqr,
    List<Double> roundMedians) {

  /** Returns the times of so many calls together. */
  public Statistics times(double calls) {
    return calls == 1
        ? this
        : new Statistics(
            samples,
            callsPerSample,
            min * calls,
            mean * calls,
            median * calls,
            p95 * calls,
            p99 * calls,
            max * calls,
            mad * calls,
            iqr * calls,
            roundMedians.stream().map(nanos -> nanos * calls).toList());
  }

  /** Returns the spread as a share of the median. */
  public double spread() {
    return mad / median;
  }
}
