package io.smallmind.tensor;

/**
 * Fits a block of 256 values as groups with a scale and a minimum each: value = d · scale · quant −
 * n · minimum, for Q2_K, Q4_K and Q5_K. A scratch object of one thread.
 */
final class AffineGroups {
  private static final int BLOCK_LENGTH = 256;

  /** Candidates on either side of the whole range, and their distance in quants. */
  private static final int STEPS = 9;

  private static final float STEP = 0.25f;

  private final int groups;
  private final int groupLength;
  private final int top;
  private final int scaleTop;
  private final float[] wantedScales;
  private final float[] wantedMinimums;
  private final int[] scales;
  private final int[] minimums;
  private final byte[] quants = new byte[BLOCK_LENGTH];
  private short scaleBits;
  private short minimumBits;

  /**
   * Makes room for one block.
   *
   * @param groupLength in elements
   * @param top quants run from 0 to top
   * @param scaleTop scales and minimums run from 0 to scaleTop
   */
  AffineGroups(int groupLength, int top, int scaleTop) {
    this.groupLength = groupLength;
    this.top = top;
    this.scaleTop = scaleTop;
    groups = BLOCK_LENGTH / groupLength;
    wantedScales = new float[groups];
    wantedMinimums = new float[groups];
    scales = new int[groups];
    minimums = new int[groups];
  }

  /** Returns the F16 scale of the scales. */
  short scaleBits() {
    return scaleBits;
  }

  /** Returns the F16 scale of the minimums. */
  short minimumBits() {
    return minimumBits;
  }

  /** Returns the scale of a group. */
  int scale(int group) {
    return scales[group];
  }

  /** Returns the minimum of a group. */
  int minimum(int group) {
    return minimums[group];
  }

  /** Returns the quant of a value. */
  int quant(int i) {
    return quants[i];
  }

  /** Fits the 256 values from an element on. */
  void fit(float[] in, int at) {
    float maxScale = 0;
    float maxMinimum = 0;
    for (int group = 0; group < groups; group++) {
      fitGroup(in, at + group * groupLength, group);
      maxScale = Math.max(maxScale, wantedScales[group]);
      maxMinimum = Math.max(maxMinimum, wantedMinimums[group]);
    }
    scaleBits = Float.floatToFloat16(maxScale / scaleTop);
    minimumBits = Float.floatToFloat16(maxMinimum / scaleTop);
    float d = Float.float16ToFloat(scaleBits);
    float n = Float.float16ToFloat(minimumBits);
    for (int group = 0; group < groups; group++) {
      int first = group * groupLength;
      roundGroup(in, at + first, d, n, group);
      float scale = d * scales[group];
      float minimum = n * minimums[group];
      float inverse = inverse(scale);
      for (int i = 0; i < groupLength; i++) {
        quants[first + i] = (byte) quant((in[at + first + i] + minimum) * inverse);
      }
    }
  }

  /**
   * Searches for the scale and the minimum that store a group with the least squared error: every
   * candidate settles the quants, and for given quants both are known by least squares.
   */
  private void fitGroup(float[] in, int at, int group) {
    float low = Math.min(Extremes.min(in, at, groupLength), 0);
    float range = Extremes.max(in, at, groupLength) - low;
    wantedScales[group] = Math.max(range / top, 0);
    wantedMinimums[group] = -low;
    if (!(range > 0)) {
      return;
    }
    double sum = 0;
    for (int i = at; i < at + groupLength; i++) {
      sum += in[i];
    }
    double bestGain = Double.NEGATIVE_INFINITY;
    for (int step = -STEPS; step <= STEPS; step++) {
      float inverse = (top + step * STEP) / range;
      double products = 0;
      int quantSum = 0;
      int squares = 0;
      for (int i = at; i < at + groupLength; i++) {
        int q = quant((in[i] - low) * inverse);
        products += q * in[i];
        quantSum += q;
        squares += q * q;
      }
      double determinant = (double) groupLength * squares - (double) quantSum * quantSum;
      if (determinant <= 0) {
        continue;
      }
      double scale = (groupLength * products - sum * quantSum) / determinant;
      double minimum = (quantSum * products - squares * sum) / determinant;
      if (minimum < 0) {
        minimum = 0;
        scale = products / squares;
      }
      // What the fit takes off the squared error of all zeros.
      double gain =
          2 * (scale * products - minimum * sum + scale * minimum * quantSum)
              - scale * scale * squares
              - groupLength * minimum * minimum;
      if (gain > bestGain) {
        bestGain = gain;
        wantedScales[group] = (float) scale;
        wantedMinimums[group] = (float) minimum;
      }
    }
  }

  /** Chooses the multiples of d and n next to the wanted ones that store a group best. */
  private void roundGroup(float[] in, int at, float d, float n, int group) {
    int middleScale = multiple(wantedScales[group], d);
    int middleMinimum = multiple(wantedMinimums[group], n);
    scales[group] = middleScale;
    minimums[group] = middleMinimum;
    double bestError = squaredError(in, at, d * middleScale, n * middleMinimum);
    int lastScale = Math.min(middleScale + 1, scaleTop);
    int lastMinimum = Math.min(middleMinimum + 1, scaleTop);
    for (int scale = Math.max(middleScale - 1, 0); scale <= lastScale; scale++) {
      for (int minimum = Math.max(middleMinimum - 1, 0); minimum <= lastMinimum; minimum++) {
        double error = squaredError(in, at, d * scale, n * minimum);
        if (error < bestError) {
          bestError = error;
          scales[group] = scale;
          minimums[group] = minimum;
        }
      }
    }
  }

  private int multiple(float wanted, float unit) {
    return unit == 0 ? 0 : Math.clamp(Math.round(wanted / unit), 0, scaleTop);
  }

  private double squaredError(float[] in, int at, float scale, float minimum) {
    float inverse = inverse(scale);
    double sum = 0;
    for (int i = at; i < at + groupLength; i++) {
      float error = scale * quant((in[i] + minimum) * inverse) - minimum - in[i];
      sum += (double) error * error;
    }
    return sum;
  }

  private int quant(float steps) {
    return Math.clamp((int) (steps + 0.5f), 0, top);
  }

  private static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
