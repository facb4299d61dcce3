package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.i32;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put32;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Q5_1: blocks of 32 values, 5 bits each, a scale and a minimum.
 *
 * <pre>
 * offset  size  content
 * 0       2     scale d, F16, in units of the values
 * 2       2     minimum m, F16, in units of the values
 * 4       4     bit 4 of every quant: bit j belongs to value j, little-endian
 * 8       16    bits 0 to 3: byte j holds value j in its low, value j + 16 in its high nibble
 * </pre>
 *
 * <p>value = d · q + m, q from 0 to 31: from m to m + 31 d in steps of d.
 *
 * <p>Source: ggml-common.h, block_q5_1.
 */
final class Q51Codec implements Codec {
  static final int BLOCK_LENGTH = 32;

  private static final int SCALE = 0;
  private static final int MINIMUM = SCALE + 2;
  private static final int HIGH_BITS = MINIMUM + 2;
  private static final int QUANTS = HIGH_BITS + 4;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH / 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      float m = f16(memory, block + MINIMUM);
      int high = i32(memory, block + HIGH_BITS);
      for (int j = 0; j < 16; j++) {
        int q = u8(memory, block + QUANTS + j);
        out[o + j] = (q & 15 | (high >>> j & 1) << 4) * d + m;
        out[o + 16 + j] = (q >> 4 | (high >>> (j + 16) & 1) << 4) * d + m;
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float min = Extremes.min(in, i, BLOCK_LENGTH);
      float d = (Extremes.max(in, i, BLOCK_LENGTH) - min) / 31;
      float inverse = d == 0 ? 0 : 1 / d;
      put16(memory, block + SCALE, Float.floatToFloat16(d));
      put16(memory, block + MINIMUM, Float.floatToFloat16(min));
      int highBits = 0;
      for (int j = 0; j < 16; j++) {
        int low = quant((in[i + j] - min) * inverse);
        int high = quant((in[i + 16 + j] - min) * inverse);
        put8(memory, block + QUANTS + j, low & 15 | (high & 15) << 4);
        highBits |= low >> 4 << j | high >> 4 << (j + 16);
      }
      put32(memory, block + HIGH_BITS, highBits);
    }
  }

  private static int quant(float steps) {
    return Math.clamp((int) (steps + 0.5f), 0, 31);
  }
}
