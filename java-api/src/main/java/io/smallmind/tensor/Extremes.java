package io.smallmind.tensor;

/** The extreme values of a block. NaN is passed over, so that it can't spoil the block's scale. */
final class Extremes {
  private Extremes() {}

  /** Returns the first value of the largest magnitude, with its sign, or 0. */
  static float ofMagnitude(float[] values, int offset, int length) {
    float extreme = 0;
    for (int i = offset; i < offset + length; i++) {
      if (Math.abs(values[i]) > Math.abs(extreme)) {
        extreme = values[i];
      }
    }
    return extreme;
  }

  /** Returns the smallest value; of zeros of both signs, the first. */
  static float min(float[] values, int offset, int length) {
    float min = Float.MAX_VALUE;
    for (int i = offset; i < offset + length; i++) {
      if (values[i] < min) {
        min = values[i];
      }
    }
    return min;
  }

  /** Returns the largest value; of zeros of both signs, the first. */
  static float max(float[] values, int offset, int length) {
    float max = -Float.MAX_VALUE;
    for (int i = offset; i < offset + length; i++) {
      if (values[i] > max) {
        max = values[i];
      }
    }
    return max;
  }
}
