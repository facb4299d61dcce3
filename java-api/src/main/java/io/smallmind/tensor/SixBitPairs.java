package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.put8;
import static io.smallmind.tensor.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * The 8 scales and 8 minimums of Q4_K and Q5_K, 6 bits each, in 12 bytes.
 *
 * <pre>
 * offset  size  content, for i from 0 to 3
 * i       1     bits 0 to 5: scale i;          bits 6 and 7: bits 4 and 5 of scale 4 + i
 * 4 + i   1     bits 0 to 5: minimum i;        bits 6 and 7: bits 4 and 5 of minimum 4 + i
 * 8 + i   1     bits 0 to 3: those of scale 4 + i; bits 4 to 7: bits 0 to 3 of minimum 4 + i
 * </pre>
 *
 * <p>Source: ggml-quants.c, get_scale_min_k4.
 */
final class SixBitPairs {
  static final int BYTES = 12;

  private SixBitPairs() {}

  /** Returns the scale of a group of 0 to 7; the pairs start at a byte offset. */
  static int scale(MemorySegment blocks, long pairs, int group) {
    return group < 4
        ? u8(blocks, pairs + group) & 63
        : u8(blocks, pairs + 4 + group) & 15 | u8(blocks, pairs - 4 + group) >> 6 << 4;
  }

  /** Returns the minimum of a group of 0 to 7; the pairs start at a byte offset. */
  static int minimum(MemorySegment blocks, long pairs, int group) {
    return group < 4
        ? u8(blocks, pairs + 4 + group) & 63
        : u8(blocks, pairs + 4 + group) >> 4 | u8(blocks, pairs + group) >> 6 << 4;
  }

  /** Writes the scales and minimums of 8 groups at a byte offset. */
  static void put(AffineGroups groups, MemorySegment blocks, long pairs) {
    for (int i = 0; i < 4; i++) {
      int scale = groups.scale(4 + i);
      int minimum = groups.minimum(4 + i);
      put8(blocks, pairs + i, groups.scale(i) | scale >> 4 << 6);
      put8(blocks, pairs + 4 + i, groups.minimum(i) | minimum >> 4 << 6);
      put8(blocks, pairs + 8 + i, scale & 15 | (minimum & 15) << 4);
    }
  }
}
