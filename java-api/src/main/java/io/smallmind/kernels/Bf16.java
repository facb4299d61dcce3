package io.smallmind.kernels;

/** Activations as weights of type BF16 are multiplied by them: rounded to BF16. */
final class Bf16 {
  private Bf16() {}

  /** Rounds values in place to the nearest BF16, ties to even; NaN stays. */
  static void round(float[] values, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      int bits = Float.floatToRawIntBits(values[i]);
      // A NaN must keep a bit in the upper half of its mantissa: adding could carry into the sign.
      int rounded = Float.isNaN(values[i]) ? bits | 0x40_0000 : bits + 0x7FFF + (bits >>> 16 & 1);
      values[i] = Float.intBitsToFloat(rounded & 0xFFFF_0000);
    }
  }
}
