package io.smallmind.tensor;

/**
 * Fits a block of 256 values as 16 groups of 16, each a multiple of one scale, without a minimum:
 * value = d · scale · (quant − half), for Q3_K and Q6_K. A scratch object of one thread.
 */
final class SymmetricGroups {
  private static final int GROUPS = 16;
  private static final int GROUP_LENGTH = 16;

  /** Candidates on either side of the extreme value's own, and their distance in quants. */
  private static final int STEPS = 9;

  private static final float STEP = 0.1f;

  private final int half;
  private final int scaleHalf;
  private final float[] wanted = new float[GROUPS];
  private final int[] scales = new int[GROUPS];
  private final byte[] quants = new byte[GROUPS * GROUP_LENGTH];
  private short scaleBits;

  /**
   * Makes room for one block.
   *
   * @param half quants run from 0 to 2 half − 1
   * @param scaleHalf scales run from −scaleHalf to scaleHalf − 1
   */
  SymmetricGroups(int half, int scaleHalf) {
    this.half = half;
    this.scaleHalf = scaleHalf;
  }

  /** Returns the F16 scale of the scales. */
  short scaleBits() {
    return scaleBits;
  }

  /** Returns the scale of a group. */
  int scale(int group) {
    return scales[group];
  }

  /** Returns the quant of a value, 0 to 2 half − 1. */
  int quant(int i) {
    return quants[i];
  }

  /** Fits the 256 values from an element on. */
  void fit(float[] in, int at) {
    float max = 0;
    for (int group = 0; group < GROUPS; group++) {
      float scale = bestScale(in, at + group * GROUP_LENGTH);
      wanted[group] = scale;
      max = Math.abs(scale) > Math.abs(max) ? scale : max;
    }
    // The scale of the largest magnitude takes the end that reaches farther.
    scaleBits = Float.floatToFloat16(max / -scaleHalf);
    float d = Float.float16ToFloat(scaleBits);
    for (int group = 0; group < GROUPS; group++) {
      int first = group * GROUP_LENGTH;
      int scale = nearbyScale(in, at + first, d, wanted[group]);
      scales[group] = scale;
      float inverse = inverse(d * scale);
      for (int i = 0; i < GROUP_LENGTH; i++) {
        quants[first + i] = (byte) quant(in[at + first + i] * inverse);
      }
    }
  }

  /**
   * Searches for the scale, of either sign, that stores a group with the least squared error: every
   * candidate settles the quants, and for given quants the best scale is known by least squares.
   */
  private float bestScale(float[] in, int at) {
    float extreme = Extremes.ofMagnitude(in, at, GROUP_LENGTH);
    if (extreme == 0) {
      return 0;
    }
    float best = extreme / -half;
    double bestGain = 0;
    for (int step = -STEPS; step <= STEPS; step++) {
      float inverse = -(half + step * STEP) / extreme;
      double products = 0;
      int squares = 0;
      for (int i = at; i < at + GROUP_LENGTH; i++) {
        int q = quant(in[i] * inverse) - half;
        products += q * in[i];
        squares += q * q;
      }
      double gain = products * products / squares;
      if (gain > bestGain) {
        bestGain = gain;
        best = (float) (products / squares);
      }
    }
    return best;
  }

  /** Returns the multiple of d next to a wanted scale that stores a group best. */
  private int nearbyScale(float[] in, int at, float d, float scale) {
    int middle = d == 0 ? 0 : Math.clamp(Math.round(scale / d), -scaleHalf, scaleHalf - 1);
    int best = middle;
    double bestError = squaredError(in, at, d * middle);
    int last = Math.min(middle + 1, scaleHalf - 1);
    for (int s = Math.max(middle - 1, -scaleHalf); s <= last; s++) {
      double error = squaredError(in, at, d * s);
      if (error < bestError) {
        bestError = error;
        best = s;
      }
    }
    return best;
  }

  private double squaredError(float[] in, int at, float scale) {
    float inverse = inverse(scale);
    double sum = 0;
    for (int i = at; i < at + GROUP_LENGTH; i++) {
      float error = scale * (quant(in[i] * inverse) - half) - in[i];
      sum += (double) error * error;
    }
    return sum;
  }

  private int quant(float steps) {
    return Math.clamp((int) (steps + (half + 0.5f)), 0, 2 * half - 1);
  }

  private static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
