package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * IQ4_NL: blocks of 32 values, 4 bits each that choose from 16 unevenly spaced levels, one scale.
 *
 * <pre>
 * offset  size  content
 * 0       2     scale d, F16, in units of the values / 127
 * 2       16    quants q, 0 to 15: byte j holds value j in its low, value j + 16 in its high nibble
 * </pre>
 *
 * <p>value = d · level[q], with the levels of {@link Iq4Levels}: from −127 d to 113 d, d of either
 * sign.
 *
 * <p>Source: ggml-common.h, block_iq4_nl.
 */
final class Iq4NlCodec implements Codec {
  static final int BLOCK_LENGTH = 32;

  private static final int SCALE = 0;
  private static final int QUANTS = SCALE + 2;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH / 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      for (int j = 0; j < 16; j++) {
        int q = u8(memory, block + QUANTS + j);
        out[o + j] = d * Iq4Levels.LEVELS[q & 15];
        out[o + 16 + j] = d * Iq4Levels.LEVELS[q >> 4];
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = Iq4Levels.scale(in, i, BLOCK_LENGTH);
      short bits = Float.floatToFloat16(d);
      put16(memory, block + SCALE, bits);
      float inverse = Iq4Levels.inverse(Float.float16ToFloat(bits));
      for (int j = 0; j < 16; j++) {
        int low = Iq4Levels.nearest(in[i + j] * inverse);
        int high = Iq4Levels.nearest(in[i + 16 + j] * inverse);
        put8(memory, block + QUANTS + j, low | high << 4);
      }
    }
  }
}
