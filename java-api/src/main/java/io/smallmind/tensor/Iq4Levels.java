package io.smallmind.tensor;

/** The 16 levels that IQ4_NL and IQ4_XS choose from: denser near zero, as weights are. */
final class Iq4Levels {
  /** Ascending; source: ggml-common.h, kvalues_iq4nl. */
  static final float[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private static final int LOWEST = -127;
  private static final int HIGHEST = 113;

  /** Candidates on either side of an end of the levels, and their distance. */
  private static final int STEPS = 7;

  private static final float STEP = 2;

  /**
   * The level nearest to every half step from {@link #LOWEST} up: since the borders between levels
   * are halves or whole, the level is the same all over a half step.
   */
  private static final byte[] NEAREST = new byte[(HIGHEST - LOWEST) * 2 + 1];

  static {
    for (int i = 0; i < NEAREST.length; i++) {
      float middle = LOWEST + (i + 0.5f) / 2;
      int nearest = 0;
      for (int level = 1; level < LEVELS.length; level++) {
        if (Math.abs(LEVELS[level] - middle) < Math.abs(LEVELS[nearest] - middle)) {
          nearest = level;
        }
      }
      NEAREST[i] = (byte) nearest;
    }
  }

  private Iq4Levels() {}

  /** Returns the index of the level nearest to a value. */
  static int nearest(float value) {
    return NEAREST[Math.clamp((int) ((value - LOWEST) * 2), 0, NEAREST.length - 1)];
  }

  /** Returns 1 / scale, or 0 for 0: what to multiply values with before {@link #nearest}. */
  static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }

  /**
   * Searches for the scale, of either sign, that stores a group with the least squared error.
   *
   * <p>Every candidate maps the extreme value to a point near one end of the levels, which settles
   * the level of every value; for given levels, the best scale is known by least squares.
   */
  static float scale(float[] in, int at, int length) {
    float extreme = Extremes.ofMagnitude(in, at, length);
    if (extreme == 0) {
      return 0;
    }
    float best = extreme / LOWEST;
    double bestGain = 0;
    for (int step = -STEPS; step <= STEPS; step++) {
      for (int end = LOWEST; end <= HIGHEST; end += HIGHEST - LOWEST) {
        float inverse = (end + step * STEP) / extreme;
        double products = 0;
        double squares = 0;
        for (int i = at; i < at + length; i++) {
          float level = LEVELS[nearest(in[i] * inverse)];
          products += level * in[i];
          squares += level * level;
        }
        double gain = products * products / squares;
        if (gain > bestGain) {
          bestGain = gain;
          best = (float) (products / squares);
        }
      }
    }
    return best;
  }
}
