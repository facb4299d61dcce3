package io.smallmind.bench.compare;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Student's distribution. With t = √degrees · tan θ its density becomes cos^(degrees − 1) θ, which
 * Simpson's rule integrates over a bounded range.
 */
final class StudentT {
  private static final int BISECTIONS = 40;
  private static final int STEPS = 200;

  private record Question(double probability, int degrees) {}

  /** The same few are asked again and again. */
  private static final Map<Question, Double> KNOWN = new ConcurrentHashMap<>();

  private StudentT() {}

  /**
   * Returns the value that a variable stays below with this probability.
   *
   * @param probability 0.5 to 1, without 1
   * @param degrees of freedom, at least 1
   */
  static double quantile(double probability, int degrees) {
    return KNOWN.computeIfAbsent(
        new Question(probability, degrees), one -> compute(one.probability, one.degrees));
  }

  private static double compute(double probability, int degrees) {
    double wanted = (2 * probability - 1) * integral(Math.PI / 2, degrees);
    double low = 0;
    double high = Math.PI / 2;
    for (int i = 0; i < BISECTIONS; i++) {
      double middle = (low + high) / 2;
      if (integral(middle, degrees) < wanted) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.sqrt(degrees) * Math.tan(low);
  }

  private static double integral(double end, int degrees) {
    double step = end / STEPS;
    double sum = 0;
    for (int i = 0; i <= STEPS; i++) {
      double weight = i == 0 || i == STEPS ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.pow(Math.cos(i * step), degrees - 1.0);
    }
    return sum * step / 3;
  }
}
