package io.smallmind.bench.measure;

/** Compares values with their references one by one and keeps the worst. Not thread-safe. */
public final class Checker {
  private long checked;
  private double worst;
  private String worstText = "";

  /**
   * Compares one value.
   *
   * @param what names the value, should it be wrong
   * @param tolerance largest difference that is right
   */
  public void check(String what, double actual, double expected, double tolerance) {
    checked++;
    double error = Math.abs(actual - expected);
    double share = error == 0 ? 0 : error / tolerance;
    if (Double.isNaN(share)) {
      share = Double.POSITIVE_INFINITY;
    }
    if (share > worst) {
      worst = share;
      worstText =
          String.format(
              java.util.Locale.ROOT,
              "%s is %.7g, expected %.7g ± %.2g",
              what,
              actual,
              expected,
              tolerance);
    }
  }

  /** Returns the verdict on everything checked so far. */
  public Verdict verdict() {
    return new Verdict(checked, Math.min(worst, Double.MAX_VALUE), worst <= 1 ? "" : worstText);
  }
}
