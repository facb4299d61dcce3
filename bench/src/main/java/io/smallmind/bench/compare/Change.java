package io.smallmind.bench.compare;

/**
 * How the time of one row changed, as a ratio head ÷ base: above 1 is slower.
 *
 * @param low lower end of the confidence interval; high likewise
 * @param normalized the same ratio after both were divided by what the machine could do in the same
 *     rounds; equal to the ratio where that was not measured
 * @param visible the smallest ratio that would be found in 19 of 20 such comparisons
 */
public record Change(
    double ratio, double low, double high, double normalized, double visible, Kind kind) {
  /** What a change amounts to. */
  public enum Kind {
    /** More than the threshold, and surely more than noise. */
    SLOWER,
    /** Less than the threshold, or noise. */
    SAME,
    /** Better by more than the threshold, and surely more than noise. */
    FASTER,
    /** Too few rounds to tell. */
    UNCLEAR
  }
}
