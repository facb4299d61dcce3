package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.put16;
import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Q4_K: blocks of 256 values, 4 bits each, in 8 groups of 32 with 6-bit scales and minimums.
 *
 * <pre>
 * offset  size  content
 * 0       2     scale of the scales d, F16
 * 2       2     scale of the minimums n, F16
 * 4       12    scales s and minimums m of the groups, 0 to 63, packed as in {@link SixBitPairs}
 * 16      128   quants q, 0 to 15: byte l of the h-th 32 bytes holds value 64 h + l in its low,
 *               value 64 h + 32 + l in its high nibble
 * </pre>
 *
 * <p>value = d · s · q − n · m.
 *
 * <p>Source: ggml-common.h, block_q4_K.
 */
final class Q4KCodec implements Codec {
  static final int BLOCK_LENGTH = 256;

  private static final int SCALE = 0;
  private static final int MINIMUM = SCALE + 2;
  private static final int PAIRS = MINIMUM + 2;
  private static final int QUANTS = PAIRS + SixBitPairs.BYTES;
  static final int BLOCK_BYTES = QUANTS + BLOCK_LENGTH / 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    long block = offset;
    int end = outOffset + length;
    for (int o = outOffset; o < end; o += BLOCK_LENGTH, block += BLOCK_BYTES) {
      float d = f16(memory, block + SCALE);
      float n = f16(memory, block + MINIMUM);
      for (int group = 0; group < 8; group += 2) {
        float scale0 = d * SixBitPairs.scale(memory, block + PAIRS, group);
        float scale1 = d * SixBitPairs.scale(memory, block + PAIRS, group + 1);
        float minimum0 = n * SixBitPairs.minimum(memory, block + PAIRS, group);
        float minimum1 = n * SixBitPairs.minimum(memory, block + PAIRS, group + 1);
        long quants = block + QUANTS + group * 16;
        int first = o + group * 32;
        for (int l = 0; l < 32; l++) {
          int q = u8(memory, quants + l);
          out[first + l] = scale0 * (q & 15) - minimum0;
          out[first + 32 + l] = scale1 * (q >> 4) - minimum1;
        }
      }
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    AffineGroups groups = new AffineGroups(32, 15, 63);
    long block = offset;
    int end = inOffset + length;
    for (int i = inOffset; i < end; i += BLOCK_LENGTH, block += BLOCK_BYTES) {
      groups.fit(in, i);
      put16(memory, block + SCALE, groups.scaleBits());
      put16(memory, block + MINIMUM, groups.minimumBits());
      SixBitPairs.put(groups, memory, block + PAIRS);
      for (int l = 0; l < 128; l++) {
        int first = (l >> 5) * 64 + (l & 31);
        put8(memory, block + QUANTS + l, groups.quant(first) | groups.quant(first + 32) << 4);
      }
    }
  }
}
