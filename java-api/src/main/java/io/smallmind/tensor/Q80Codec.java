package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.i8;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;

import java.lang.foreign.MemorySegment;

/**
 * Q8_0: blocks of 32 values, 8 bits each, one scale.
 *
 * <pre>
 * offset  size  content
 * 0       2     scale d, F16, in units of the values
 * 2       32    quants q, signed, −127 to 127 (−128 is legal, but not written)
 * </pre>
 *
 * <p>value = d · q: in steps of d.
 *
 * <p>Source: ggml-common.h, block_q8_0.
 */
final class Q80Codec implements Codec {
  static final int BLOCK_LENGTH = 32;

  private static final int SCALE = 0;
  private static final int QUANTS = SCALE + 2;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      for (int j = 0; j < BLOCK_LENGTH; j++) {
        out[o + j] = i8(memory, block + QUANTS + j) * d;
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = Math.abs(Extremes.ofMagnitude(in, i, BLOCK_LENGTH)) / 127;
      float inverse = d == 0 ? 0 : 1 / d;
      put16(memory, block + SCALE, Float.floatToFloat16(d));
      for (int j = 0; j < BLOCK_LENGTH; j++) {
        put8(memory, block + QUANTS + j, quant(in[i + j] * inverse));
      }
    }
  }

  /** Rounds to nearest, ties away from zero, exactly: adding 0.5 would round 0.49999997 up. */
  private static int quant(float steps) {
    int whole = (int) steps;
    return Math.clamp(whole + (int) ((steps - whole) * 2), -127, 127);
  }
}
