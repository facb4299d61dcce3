package io.smallmind.model;

/**
 * How positions turn queries and keys (Su et al. 2021) and how the context was stretched.
 *
 * @param dimensions how many leading values of a head are turned; even, 0 for none
 * @param base frequencies are base^(−2i / dimensions)
 * @param scaling how the context was stretched
 * @param factor by how much
 * @param originalContext positions before stretching
 * @param attentionFactor cosines and sines are multiplied by it
 */
public record RopeConfig(
    int dimensions,
    double base,
    Scaling scaling,
    double factor,
    int originalContext,
    double attentionFactor) {

  /** How a context is stretched. */
  public enum Scaling {
    /** Not at all, or by factors per frequency in a tensor (Llama 3, Phi 3). */
    NONE,
    /** All positions divided by the factor. */
    LINEAR,
    /** Low frequencies divided by the factor, high ones kept (YaRN, Peng et al. 2023). */
    YARN
  }

  private static final double YARN_FAST_TURNS = 32;
  private static final double YARN_SLOW_TURNS = 1;

  /**
   * Returns the angle per position of each pair, in radians.
   *
   * @param divisors one per pair, or empty for none: frequencies are divided by them
   */
  double[] frequencies(float[] divisors) {
    int pairs = dimensions / 2;
    double[] frequencies = new double[pairs];
    double low = Math.max(0, Math.floor(yarnBound(YARN_FAST_TURNS)));
    double high = Math.min(dimensions - 1, Math.ceil(yarnBound(YARN_SLOW_TURNS)));
    for (int pair = 0; pair < pairs; pair++) {
      double frequency = Math.pow(base, -2.0 * pair / dimensions);
      if (divisors.length > 0) {
        frequency /= divisors[pair];
      }
      double stretched = frequency / factor;
      frequencies[pair] =
          switch (scaling) {
            case NONE -> frequency;
            case LINEAR -> stretched;
            case YARN -> {
              double ramp = (pair - low) / Math.max(0.001, high - low);
              double kept = 1 - Math.clamp(ramp, 0, 1);
              yield stretched * (1 - kept) + frequency * kept;
            }
          };
    }
    return frequencies;
  }

  /** Returns the factor of cosines and sines. */
  double magnitude() {
    return scaling == Scaling.YARN
        ? attentionFactor * (1 + 0.1 * Math.log(factor))
        : attentionFactor;
  }

  /** Returns the pair that makes this many turns within the original context. */
  private double yarnBound(double turns) {
    return dimensions * Math.log(originalContext / (turns * 2 * Math.PI)) / (2 * Math.log(base));
  }
}
