package io.smallmind.kernels;

/** The functions of {@link UnaryOp} in double precision; at ±∞ they take their limits. */
final class ScalarFunctions {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double SQRT_2_PI = Math.sqrt(2 * Math.PI);

  /** Where the series for the normal distribution hands over to the continued fraction. */
  private static final double SERIES_END = 5;

  /** Enough levels for double precision from {@link #SERIES_END} on. */
  private static final int FRACTION_LEVELS = 40;

  private ScalarFunctions() {}

  static double relu(double x) {
    return x > 0 ? x : Double.isNaN(x) ? x : 0;
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double silu(double x) {
    return x == Double.NEGATIVE_INFINITY ? 0 : x * sigmoid(x);
  }

  static double geluTanh(double x) {
    // (1 + tanh(u)) / 2 = sigmoid(2u), without the cancellation at negative u.
    double u = SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
    return x == Double.NEGATIVE_INFINITY ? 0 : x * sigmoid(2 * u);
  }

  static double geluErf(double x) {
    if (Double.isNaN(x) || Double.isInfinite(x)) {
      return x == Double.NEGATIVE_INFINITY ? 0 : x;
    }
    double tail = normalTail(Math.abs(x));
    return x > 0 ? x - x * tail : x * tail;
  }

  /** Returns the probability that a normal variable exceeds a, for a ≥ 0. */
  private static double normalTail(double a) {
    double density = Math.exp(-a * a / 2) / SQRT_2_PI;
    if (a < SERIES_END) {
      // Abramowitz and Stegun 26.2.11.
      double term = a;
      double sum = a;
      for (int n = 3; term > 1e-17 * sum; n += 2) {
        term *= a * a / n;
        sum += term;
      }
      return 0.5 - density * sum;
    }
    // Abramowitz and Stegun 26.2.14.
    double fraction = a;
    for (int n = FRACTION_LEVELS; n > 0; n--) {
      fraction = a + n / fraction;
    }
    return density / fraction;
  }
}
