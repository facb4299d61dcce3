package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Q3_K: blocks of 256 values, 3 bits each, in 16 groups of 16 with 6-bit scales.
 *
 * <pre>
 * offset  size  content
 * 0       32    bit 2 of the quants: bit i of byte l belongs to value 32 i + l
 * 32      64    bits 0 and 1: byte l of the h-th 32 bytes holds, from its low bits up, the values
 *               128 h + l, 128 h + 32 + l, 128 h + 64 + l, 128 h + 96 + l
 * 96      12    scales s, 0 to 63: bits 0 to 3 of scale g in byte g (low nibble, g < 8) or g − 8
 *               (high nibble), bits 4 and 5 in bits 2 (g / 4) of byte 8 + g % 4
 * 108     2     scale of the scales d, F16
 * </pre>
 *
 * <p>value = d · (s − 32) · (q − 4), q from 0 to 7.
 *
 * <p>Source: ggml-common.h, block_q3_K.
 */
final class Q3KCodec implements Codec {
  static final int BLOCK_LENGTH = 256;

  private static final int HIGH_BITS = 0;
  private static final int QUANTS = HIGH_BITS + BLOCK_LENGTH / 8;
  private static final int SCALES = QUANTS + BLOCK_LENGTH / 4;
  private static final int SCALE = SCALES + 12;
  static final int BLOCK_BYTES = SCALE + 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      for (int part = 0; part < 4; part++) {
        int half = part >> 1;
        int l0 = (part & 1) * 16;
        int group = half * 8 + (part & 1);
        float scale0 = d * (scale(memory, block + SCALES, group) - 32);
        float scale1 = d * (scale(memory, block + SCALES, group + 2) - 32);
        float scale2 = d * (scale(memory, block + SCALES, group + 4) - 32);
        float scale3 = d * (scale(memory, block + SCALES, group + 6) - 32);
        long quants = block + QUANTS + half * 32 + l0;
        long highBits = block + HIGH_BITS + l0;
        int first = o + half * 128 + l0;
        for (int l = 0; l < 16; l++) {
          int low = u8(memory, quants + l);
          int high = u8(memory, highBits + l) >> (4 * half);
          out[first + l] = scale0 * ((low & 3 | (high & 1) << 2) - 4);
          out[first + 32 + l] = scale1 * ((low >> 2 & 3 | (high >> 1 & 1) << 2) - 4);
          out[first + 64 + l] = scale2 * ((low >> 4 & 3 | (high >> 2 & 1) << 2) - 4);
          out[first + 96 + l] = scale3 * ((low >> 6 | (high >> 3 & 1) << 2) - 4);
        }
      }
    }
  }

  /** Returns the scale of a group, 0 to 63. */
  private static int scale(MemorySegment blocks, long scales, int group) {
    int low = u8(blocks, scales + (group & 7)) >> (4 * (group >> 3)) & 15;
    int high = u8(blocks, scales + 8 + (group & 3)) >> (2 * (group >> 2)) & 3;
    return low | high << 4;
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    SymmetricGroups groups = new SymmetricGroups(4, 32);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      groups.fit(in, i);
      put16(memory, block + SCALE, groups.scaleBits());
      for (int l = 0; l < 32; l++) {
        int high = 0;
        for (int b = 0; b < 8; b++) {
          high |= groups.quant(32 * b + l) >> 2 << b;
        }
        put8(memory, block + HIGH_BITS + l, high);
      }
      for (int l = 0; l < 64; l++) {
        int first = (l >> 5) * 128 + (l & 31);
        int low = groups.quant(first) & 3 | (groups.quant(first + 32) & 3) << 2;
        int high = groups.quant(first + 64) & 3 | (groups.quant(first + 96) & 3) << 2;
        put8(memory, block + QUANTS + l, low | high << 4);
      }
      putScales(groups, memory, block + SCALES);
    }
  }

  private static void putScales(SymmetricGroups groups, MemorySegment blocks, long scales) {
    for (int g = 0; g < 8; g++) {
      int low = (groups.scale(g) + 32) & 15;
      int high = (groups.scale(g + 8) + 32) & 15;
      put8(blocks, scales + g, low | high << 4);
    }
    for (int g = 0; g < 4; g++) {
      int high = 0;
      for (int quarter = 0; quarter < 4; quarter++) {
        high |= (groups.scale(g + 4 * quarter) + 32) >> 4 << (2 * quarter);
      }
      put8(blocks, scales + 8 + g, high);
    }
  }
}
