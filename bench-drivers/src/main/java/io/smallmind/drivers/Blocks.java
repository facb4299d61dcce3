package io.smallmind.drivers;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Q4_0 and Q8_0 blocks taken apart.
 *
 * @param integers of the weights, in their order: 0 to 15, or −128 to 127
 * @param middle the integer of a weight of 0
 * @param steps one for 32 weights
 */
@SuppressWarnings("ArrayRecordComponent")
record Blocks(byte[] integers, int middle, float[] steps) {
  static final int LENGTH = 32;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Takes Q4_0 apart. */
  static Blocks ofQ4(MemorySegment blocks) {
    int count = count(blocks, Short.BYTES + LENGTH / 2);
    byte[] integers = new byte[count * LENGTH];
    float[] steps = new float[count];
    for (int block = 0; block < count; block++) {
      long at = (long) block * (Short.BYTES + LENGTH / 2);
      steps[block] = Float.float16ToFloat(blocks.get(SHORT, at));
      for (int i = 0; i < LENGTH / 2; i++) {
        byte pair = blocks.get(ValueLayout.JAVA_BYTE, at + Short.BYTES + i);
        integers[block * LENGTH + i] = (byte) (pair & 15);
        integers[block * LENGTH + LENGTH / 2 + i] = (byte) (pair >> 4 & 15);
      }
    }
    return new Blocks(integers, 8, steps);
  }

  /** Takes Q8_0 apart. */
  static Blocks ofQ8(MemorySegment blocks) {
    int count = count(blocks, Short.BYTES + LENGTH);
    byte[] integers = new byte[count * LENGTH];
    float[] steps = new float[count];
    for (int block = 0; block < count; block++) {
      long at = (long) block * (Short.BYTES + LENGTH);
      steps[block] = Float.float16ToFloat(blocks.get(SHORT, at));
      MemorySegment.copy(
          blocks, ValueLayout.JAVA_BYTE, at + Short.BYTES, integers, block * LENGTH, LENGTH);
    }
    return new Blocks(integers, 0, steps);
  }

  private static int count(MemorySegment blocks, int size) {
    return Math.toIntExact(blocks.byteSize() / size);
  }

  /** Returns the weights. */
  float[] decode() {
    float[] values = new float[integers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (integers[i] - middle) * steps[i / LENGTH];
    }
    return values;
  }
}
