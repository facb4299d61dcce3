package io.smallmind.kernels;

/** The functions of {@link UnaryOp} from their definitions, accurate to some 1e-12. */
final class ExactFunctions {
  private ExactFunctions() {}

  static double apply(UnaryOp op, double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    if (Double.isInfinite(x)) {
      return limit(op, x > 0);
    }
    return switch (op) {
      case RELU -> Math.max(x, 0);
      case GELU_TANH ->
          x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * Math.pow(x, 3))));
      case GELU_ERF -> x * normalDistribution(x);
      case SILU -> x / (1 + Math.exp(-x));
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
    };
  }

  private static double limit(UnaryOp op, boolean atPlusInfinity) {
    return switch (op) {
      case RELU, GELU_TANH, GELU_ERF, SILU -> atPlusInfinity ? Double.POSITIVE_INFINITY : 0;
      case SIGMOID -> atPlusInfinity ? 1 : 0;
      case TANH -> atPlusInfinity ? 1 : -1;
    };
  }

  /** Integrates the density from 0 to |x| by Simpson's rule. */
  private static double normalDistribution(double x) {
    if (Math.abs(x) > 12) {
      return x < 0 ? 0 : 1; // to 1e-32
    }
    double a = Math.abs(x);
    int steps = 2 * (int) Math.ceil(a * 50 + 1);
    double width = a / steps;
    double sum = 1 + Math.exp(-a * a / 2);
    for (int i = 1; i < steps; i++) {
      double t = i * width;
      sum += (i % 2 == 1 ? 4 : 2) * Math.exp(-t * t / 2);
    }
    double half = sum * width / 3 / Math.sqrt(2 * Math.PI);
    return x < 0 ? Math.max(0.5 - half, 0) : 0.5 + half;
  }
}
