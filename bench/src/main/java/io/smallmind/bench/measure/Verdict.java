package io.smallmind.bench.measure;

/**
 * What came of comparing a trial's results with a reference.
 *
 * @param checked how many values were compared
 * @param worst largest error ÷ tolerance among them: above 1 is wrong
 * @param wrong empty, or the value that is worst, what it should be, and its tolerance
 */
public record Verdict(long checked, double worst, String wrong) {
  /** For work without a result to check. */
  public static final Verdict NOTHING_TO_CHECK = new Verdict(0, 0, "");

  /** Tells whether every value was within its tolerance. */
  public boolean isRight() {
    return wrong.isEmpty();
  }

  /** Returns the verdict on both. */
  public Verdict and(Verdict other) {
    Verdict first = isRight() ? other : this;
    return new Verdict(checked + other.checked, Math.max(worst, other.worst), first.wrong);
  }
}
