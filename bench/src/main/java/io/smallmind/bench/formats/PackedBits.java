package io.smallmind.bench.formats;

import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Q4_0 and Q8_0 weights as the operator MatMulNBits takes them: unsigned integers less half their
 * range times a step per block of 32, exactly the same numbers. First all integers, then all steps.
 */
final class PackedBits {
  private static final int BLOCK = 32;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private PackedBits() {}

  /** Returns the bits of a weight, or 0 if there is no such form of a type. */
  static int of(TensorType type) {
    return type == TensorType.Q4_0 ? 4 : type == TensorType.Q8_0 ? 8 : 0;
  }

  /** Returns the bytes of all integers. */
  static long integerBytes(int bits, long elements) {
    return elements * bits / 8;
  }

  /** Returns the bytes of integers and steps. */
  static long bytes(int bits, long elements) {
    return integerBytes(bits, elements) + elements / BLOCK * Float.BYTES;
  }

  /** Converts a file of blocks. */
  static void convert(Path blocks, TensorType type, Path target) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel from = FileChannel.open(blocks);
        FileChannel to =
            FileChannel.open(
                target,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      MemorySegment source = from.map(FileChannel.MapMode.READ_ONLY, 0, from.size(), arena);
      long elements = from.size() / type.blockBytes() * BLOCK;
      long size = bytes(of(type), elements);
      convert(source, type, to.map(FileChannel.MapMode.READ_WRITE, 0, size, arena));
    }
  }

  /** Converts blocks into memory of {@link #bytes}. */
  static void convert(MemorySegment source, TensorType type, MemorySegment target) {
    int bits = of(type);
    int size = type.blockBytes();
    int packed = BLOCK * bits / 8;
    long blocks = source.byteSize() / size;
    byte[] integers = new byte[BLOCK];
    byte[] pair = new byte[packed];
    for (long block = 0; block < blocks; block++) {
      long at = block * size;
      float step = Float.float16ToFloat(source.get(SHORT, at));
      MemorySegment.copy(source, ValueLayout.JAVA_BYTE, at + Short.BYTES, integers, 0, packed);
      if (bits == 4) {
        interleave(integers, pair);
      } else {
        for (int i = 0; i < BLOCK; i++) {
          pair[i] = (byte) (integers[i] ^ 0x80);
        }
      }
      MemorySegment.copy(pair, 0, target, ValueLayout.JAVA_BYTE, block * packed, packed);
      target.set(FLOAT, blocks * packed + block * Float.BYTES, step);
    }
  }

  /** From elements j and j + 16 in a byte to elements 2j and 2j + 1. */
  private static void interleave(byte[] halves, byte[] pairs) {
    for (int i = 0; i < BLOCK; i += 2) {
      pairs[i / 2] = (byte) (nibble(halves, i) | nibble(halves, i + 1) << 4);
    }
  }

  private static int nibble(byte[] halves, int element) {
    int shift = element < BLOCK / 2 ? 0 : 4;
    return halves[element % (BLOCK / 2)] >> shift & 15;
  }
}
