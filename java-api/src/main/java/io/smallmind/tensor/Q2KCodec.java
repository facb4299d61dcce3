package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Q2_K: blocks of 256 values, 2 bits each, in 16 groups of 16 with 4-bit scales and minimums.
 *
 * <pre>
 * offset  size  content
 * 0       16    group g: scale s (low nibble, 0 to 15) and minimum m (high nibble, 0 to 15)
 * 16      64    quants q, 0 to 3: byte l of the h-th 32 bytes holds, from its low bits up, the
 *               values 128 h + l, 128 h + 32 + l, 128 h + 64 + l, 128 h + 96 + l
 * 80      2     scale of the scales d, F16
 * 82      2     scale of the minimums n, F16
 * </pre>
 *
 * <p>value = d · s · q − n · m.
 *
 * <p>Source: ggml-common.h, block_q2_K.
 */
final class Q2KCodec implements Codec {
  static final int BLOCK_LENGTH = 256;

  private static final int SCALES = 0;
  private static final int QUANTS = SCALES + BLOCK_LENGTH / 16;
  private static final int SCALE = QUANTS + BLOCK_LENGTH / 4;
  private static final int MINIMUM = SCALE + 2;
  static final int BLOCK_BYTES = MINIMUM + 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      float n = f16(memory, block + MINIMUM);
      for (int group = 0; group < 16; group++) {
        int sm = u8(memory, block + SCALES + group);
        float scale = d * (sm & 15);
        float minimum = n * (sm >> 4);
        long quants = block + QUANTS + (group >> 3) * 32 + (group & 1) * 16;
        int shift = group & 6;
        int first = o + group * 16;
        for (int l = 0; l < 16; l++) {
          out[first + l] = scale * (u8(memory, quants + l) >> shift & 3) - minimum;
        }
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    AffineGroups groups = new AffineGroups(16, 3, 15);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      groups.fit(in, i);
      put16(memory, block + SCALE, groups.scaleBits());
      put16(memory, block + MINIMUM, groups.minimumBits());
      for (int group = 0; group < 16; group++) {
        put8(memory, block + SCALES + group, groups.scale(group) | groups.minimum(group) << 4);
      }
      for (int l = 0; l < 64; l++) {
        int first = (l >> 5) * 128 + (l & 31);
        int low = groups.quant(first) | groups.quant(first + 32) << 2;
        int high = groups.quant(first + 64) | groups.quant(first + 96) << 2;
        put8(memory, block + QUANTS + l, low | high << 4);
      }
    }
  }
}
