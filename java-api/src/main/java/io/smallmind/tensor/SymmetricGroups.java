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

  private static final float STEP = 0.25f;

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
      int multiple = d == 0 ? 0 : Math.round(wanted[group] / d);
      int scale = Math.clamp(multiple, -scaleHalf, scaleHalf - 1);
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

  private int quant(float steps) {
    return Math.clamp((int) (steps + (half + 0.5f)), 0, 2 * half - 1);
  }

  private static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
