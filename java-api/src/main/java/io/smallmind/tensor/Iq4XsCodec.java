package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.i32;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put32;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u16;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * IQ4_XS: blocks of 256 values, 4 bits each that choose from 16 levels, in 8 groups of 32 with
 * 6-bit scales.
 *
 * <pre>
 * offset  size  content
 * 0       2     scale of the scales d, F16
 * 2       2     bits 4 and 5 of the scales: bits 2 g and 2 g + 1 belong to group g, little-endian
 * 4       4     bits 0 to 3: byte i holds group 2 i in its low, group 2 i + 1 in its high nibble
 * 8       128   quants q, 0 to 15: byte j of the g-th 16 bytes holds value 32 g + j in its low,
 *               value 32 g + 16 + j in its high nibble
 * </pre>
 *
 * <p>value = d · (s − 32) · level[q], s from 0 to 63, with the levels of {@link Iq4Levels}.
 *
 * <p>Source: ggml-common.h, block_iq4_xs.
 */
final class Iq4XsCodec implements Codec {
  static final int BLOCK_LENGTH = 256;

  private static final int SCALE = 0;
  private static final int SCALES_HIGH = SCALE + 2;
  private static final int SCALES_LOW = SCALES_HIGH + 2;
  private static final int QUANTS = SCALES_LOW + BLOCK_LENGTH / 64;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH / 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      int high = u16(memory, block + SCALES_HIGH);
      int low = i32(memory, block + SCALES_LOW);
      for (int group = 0; group < 8; group++) {
        int s = low >>> (4 * group) & 15 | (high >> (2 * group) & 3) << 4;
        float scale = d * (s - 32);
        long quants = block + QUANTS + group * 16;
        int first = o + group * 32;
        for (int j = 0; j < 16; j++) {
          int q = u8(memory, quants + j);
          out[first + j] = scale * Iq4Levels.LEVELS[q & 15];
          out[first + 16 + j] = scale * Iq4Levels.LEVELS[q >> 4];
        }
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    float[] scales = new float[8];
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float max = 0;
      for (int group = 0; group < 8; group++) {
        scales[group] = Iq4Levels.scale(in, i + group * 32, 32);
        max = Math.abs(scales[group]) > Math.abs(max) ? scales[group] : max;
      }
      short bits = Float.floatToFloat16(max / -32);
      put16(memory, block + SCALE, bits);
      float d = Float.float16ToFloat(bits);
      int high = 0;
      int low = 0;
      for (int group = 0; group < 8; group++) {
        int s = d == 0 ? 0 : Math.clamp(Math.round(scales[group] / d), -32, 31);
        low |= ((s + 32) & 15) << (4 * group);
        high |= (s + 32) >> 4 << (2 * group);
        float inverse = Iq4Levels.inverse(d * s);
        long quants = block + QUANTS + group * 16;
        int first = i + group * 32;
        for (int j = 0; j < 16; j++) {
          int lowQuant = Iq4Levels.nearest(in[first + j] * inverse);
          int highQuant = Iq4Levels.nearest(in[first + 16 + j] * inverse);
          put8(memory, quants + j, lowQuant | highQuant << 4);
        }
      }
      put16(memory, block + SCALES_HIGH, high);
      put32(memory, block + SCALES_LOW, low);
    }
  }
}
