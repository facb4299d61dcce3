package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.u16;

import java.lang.foreign.MemorySegment;

/**
 * BF16: the upper half of a binary32.
 *
 * <pre>
 * offset  size  content
 * 0       2     sign, 8 bits of exponent, 7 bits of mantissa, little-endian
 * </pre>
 *
 * <p>Encoding rounds to nearest, ties to even; NaN stays NaN.
 *
 * <p>Source: ggml.h, GGML_TYPE_BF16.
 */
final class Bf16Codec implements Codec {
  static final int BLOCK_LENGTH = 1;
  static final int BLOCK_BYTES = 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    for (int i = 0; i < length; i++) {
      out[outOffset + i] = Float.intBitsToFloat(u16(memory, offset + (long) i * BLOCK_BYTES) << 16);
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    for (int i = 0; i < length; i++) {
      put16(memory, offset + (long) i * BLOCK_BYTES, round(in[inOffset + i]));
    }
  }

  private static int round(float value) {
    int bits = Float.floatToRawIntBits(value);
    // A NaN must keep a bit in the upper half of its mantissa: adding could carry into the sign.
    return Float.isNaN(value) ? bits >>> 16 | 0x40 : (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
  }
}
