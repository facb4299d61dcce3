package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.i8;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Q6_K: blocks of 256 values, 6 bits each, in 16 groups of 16 with 8-bit scales.
 *
 * <pre>
 * offset  size  content
 * 0       128   bits 0 to 3 of the quants: byte l of the h-th 64 bytes holds value 128 h + l in its
 *               low, value 128 h + 64 + l in its high nibble
 * 128     64    bits 4 and 5: byte l of the h-th 32 bytes holds, from its low bits up, those of the
 *               values 128 h + l, 128 h + 32 + l, 128 h + 64 + l, 128 h + 96 + l
 * 192     16    scales s of the groups, signed, −128 to 127
 * 208     2     scale of the scales d, F16
 * </pre>
 *
 * <p>value = d · s · (q − 32), q from 0 to 63.
 *
 * <p>Source: ggml-common.h, block_q6_K.
 */
final class Q6KCodec implements Codec {
  static final int BLOCK_LENGTH = 256;

  private static final int QUANTS = 0;
  private static final int HIGH_BITS = QUANTS + BLOCK_LENGTH / 2;
  private static final int SCALES = HIGH_BITS + BLOCK_LENGTH / 4;
  private static final int SCALE = SCALES + BLOCK_LENGTH / 16;
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
        long scales = block + SCALES + half * 8 + (part & 1);
        float scale0 = d * i8(memory, scales);
        float scale1 = d * i8(memory, scales + 2);
        float scale2 = d * i8(memory, scales + 4);
        float scale3 = d * i8(memory, scales + 6);
        long quants = block + QUANTS + half * 64 + l0;
        long highBits = block + HIGH_BITS + half * 32 + l0;
        int first = o + half * 128 + l0;
        for (int l = 0; l < 16; l++) {
          int even = u8(memory, quants + l);
          int odd = u8(memory, quants + 32 + l);
          int high = u8(memory, highBits + l);
          out[first + l] = scale0 * ((even & 15 | (high & 3) << 4) - 32);
          out[first + 32 + l] = scale1 * ((odd & 15 | (high >> 2 & 3) << 4) - 32);
          out[first + 64 + l] = scale2 * ((even >> 4 | (high >> 4 & 3) << 4) - 32);
          out[first + 96 + l] = scale3 * ((odd >> 4 | (high >> 6) << 4) - 32);
        }
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    SymmetricGroups groups = new SymmetricGroups(32, 128);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      groups.fit(in, i);
      put16(memory, block + SCALE, groups.scaleBits());
      for (int group = 0; group < 16; group++) {
        put8(memory, block + SCALES + group, groups.scale(group));
      }
      for (int l = 0; l < 128; l++) {
        int first = (l >> 6) * 128 + (l & 63);
        int low = groups.quant(first) & 15 | (groups.quant(first + 64) & 15) << 4;
        put8(memory, block + QUANTS + l, low);
      }
      for (int l = 0; l < 64; l++) {
        int first = (l >> 5) * 128 + (l & 31);
        int low = groups.quant(first) >> 4 | groups.quant(first + 32) >> 4 << 2;
        int high = groups.quant(first + 64) >> 4 | groups.quant(first + 96) >> 4 << 2;
        put8(memory, block + HIGH_BITS + l, low | high << 4);
      }
    }
  }
}
