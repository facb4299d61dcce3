package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * MXFP4: blocks of 32 small floats (E2M1), one power of two as scale (E8M0).
 *
 * <pre>
 * offset  size  content
 * 0       1     exponent e of the scale, biased by 127
 * 1       16    floats: byte j holds value j in its low, value j + 16 in its high nibble:
 *               sign (bit 3) and one of 0, 0.5, 1, 1.5, 2, 3, 4, 6
 * </pre>
 *
 * <p>value = 2^(e − 127) · float. Negative zero decodes to zero. The exponent 255, NaN in the OCP
 * specification, is taken as 2^128 as ggml does.
 *
 * <p>Source: ggml-common.h, block_mxfp4, and the OCP Microscaling Formats specification 1.0.
 */
final class Mxfp4Codec implements Codec {
  static final int BLOCK_LENGTH = 32;

  private static final int EXPONENT = 0;
  private static final int QUANTS = EXPONENT + 1;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH / 2;

  /** The floats of the 16 codes, doubled so that they are integers. */
  private static final float[] DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  /** The code nearest to a magnitude of the doubled floats, by that magnitude's whole halves. */
  private static final byte[] NEAREST = {
    0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7
  };

  private static final int BIAS = 127;

  /** Returns 2^(exponent − 128), which is subnormal for the exponents 0 and 1. */
  private static float halfScale(int exponent) {
    return Float.intBitsToFloat(exponent < 2 ? 0x00200000 << exponent : (exponent - 1) << 23);
  }

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float half = halfScale(u8(memory, block + EXPONENT));
      for (int j = 0; j < 16; j++) {
        int q = u8(memory, block + QUANTS + j);
        out[o + j] = DOUBLED[q & 15] * half;
        out[o + 16 + j] = DOUBLED[q >> 4] * half;
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float max = Math.abs(Extremes.ofMagnitude(in, i, BLOCK_LENGTH));
      // With this exponent the largest value is 4 to 8: what is above 6 is cut off, so that the
      // next exponent can be the better one. The inverse of the scale of exponent 0 isn't finite.
      int exponent = Math.clamp(Math.getExponent(max) - 2 + BIAS, 1, 253);
      if (squaredError(in, i, exponent + 1) < squaredError(in, i, exponent)) {
        exponent++;
      }
      put8(memory, block + EXPONENT, exponent);
      float inverse = 1 / halfScale(exponent);
      for (int j = 0; j < 16; j++) {
        int low = code(in[i + j] * inverse);
        int high = code(in[i + 16 + j] * inverse);
        put8(memory, block + QUANTS + j, low | high << 4);
      }
    }
  }

  private static double squaredError(float[] in, int at, int exponent) {
    float half = halfScale(exponent);
    float inverse = 1 / half;
    double sum = 0;
    for (int j = 0; j < BLOCK_LENGTH; j++) {
      float error = DOUBLED[code(in[at + j] * inverse)] * half - in[at + j];
      sum += (double) error * error;
    }
    return sum;
  }

  /** Returns the code of the float nearest to half of what is given; ties away from zero. */
  private static int code(float doubled) {
    int sign = doubled < 0 ? 8 : 0;
    // The doubled floats are 0 1 2 3 4 6 8 12: the borders between them are halves or whole.
    int halves = (int) Math.min(Math.abs(doubled) * 2, NEAREST.length - 1);
    return sign | NEAREST[halves];
  }
}
