package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every codec has in common: offsets, borders, and values at the edge. */
class CodecTest {
  private static final int BLOCKS = 3;
  private static final byte GUARD = 0x5A;

  static List<TensorType> types() {
    return Arrays.stream(TensorType.values()).filter(TensorType::hasCodec).toList();
  }

  @ParameterizedTest
  @MethodSource("types")
  void encodesAtAnyOffsetAndNothingBeside(TensorType type) {
    float[] values = gaussian(BLOCKS * type.blockLength());
    byte[] expected = encode(type, values);
    for (int offset : new int[] {0, 1, 2, 3, 7, 64}) {
      int inOffset = offset * 3;
      float[] shifted = new float[inOffset + values.length + 5];
      Arrays.fill(shifted, Float.NaN);
      System.arraycopy(values, 0, shifted, inOffset, values.length);
      MemorySegment memory = guarded(offset + expected.length + 9);
      type.codec().encode(shifted, inOffset, memory, offset, values.length);
      byte[] bytes = memory.toArray(ValueLayout.JAVA_BYTE);
      assertArrayEquals(
          expected, Arrays.copyOfRange(bytes, offset, offset + expected.length), "at " + offset);
      assertGuards(bytes, offset, offset + expected.length);
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void decodesAtAnyOffsetAndNothingBeside(TensorType type) {
    int length = BLOCKS * type.blockLength();
    byte[] bytes = encode(type, gaussian(length));
    float[] expected = decode(type, bytes);
    for (int offset : new int[] {0, 1, 2, 3, 7, 64}) {
      MemorySegment memory = guarded(offset + bytes.length);
      MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, offset, bytes.length);
      int outOffset = offset * 3;
      float[] out = new float[outOffset + length + 5];
      Arrays.fill(out, -7.5f);
      type.codec().decode(memory.asReadOnly(), offset, out, outOffset, length);
      for (int i = 0; i < out.length; i++) {
        boolean inside = i >= outOffset && i < outOffset + length;
        assertEquals(inside ? expected[i - outOffset] : -7.5f, out[i], "value " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void blocksStandAlone(TensorType type) {
    int block = type.blockLength();
    float[] values = gaussian(BLOCKS * block);
    byte[] bytes = encode(type, values);
    float[] decoded = decode(type, bytes);
    for (int b = 0; b < BLOCKS; b++) {
      byte[] one = encode(type, Arrays.copyOfRange(values, b * block, (b + 1) * block));
      int from = b * type.blockBytes();
      assertArrayEquals(one, Arrays.copyOfRange(bytes, from, from + type.blockBytes()));
      assertArrayEquals(decode(type, one), Arrays.copyOfRange(decoded, b * block, (b + 1) * block));
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void noValuesTouchNothing(TensorType type) {
    MemorySegment memory = guarded(8);
    type.codec().encode(new float[0], 0, memory, 8, 0);
    type.codec().decode(memory, 8, new float[0], 0, 0);
    assertGuards(memory.toArray(ValueLayout.JAVA_BYTE), 0, 0);
  }

  @ParameterizedTest
  @MethodSource("types")
  void zerosStayZeros(TensorType type) {
    float[] zeros = new float[BLOCKS * type.blockLength()];
    for (float zero : new float[] {0f, -0f}) {
      Arrays.fill(zeros, zero);
      for (float value : decode(type, encode(type, zeros))) {
        assertTrue(value == 0, "decoded as " + value);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void equalValuesStayAlmostEqual(TensorType type) {
    // Three roundings to F16, whose subnormals may count 32 · 128 times (Q6_K). The few bits of
    // BF16 leave 1/256; those of MXFP4, with nothing between 4 and 6, leave 1/5.
    double relative =
        switch (type) {
          case MXFP4 -> 1 / 5.0;
          case BF16 -> 1 / 256.0;
          default -> 3 * 0x1p-11;
        };
    float[] values = new float[type.blockLength()];
    for (float value : new float[] {1f, -1f, 0.037f, -123f}) {
      Arrays.fill(values, value);
      for (float decoded : decode(type, encode(type, values))) {
        double error = Math.abs((double) decoded - value);
        double allowed = Math.abs(value) * relative + 32 * 128 * 0x1p-25;
        assertTrue(error <= allowed, value + " became " + decoded);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void oddValuesSpoilNoOtherBlock(TensorType type) {
    int block = type.blockLength();
    float[] clean = gaussian(BLOCKS * block);
    byte[] expected = encode(type, clean);
    float[] odd = {
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.MAX_VALUE,
      -Float.MAX_VALUE,
      Float.MIN_VALUE
    };
    for (float value : odd) {
      for (int[] range : new int[][] {{0, 1}, {block / 2, block / 2 + 1}, {0, block}}) {
        float[] values = clean.clone();
        Arrays.fill(values, block + range[0], block + range[1], value);
        byte[] bytes = encode(type, values);
        int size = type.blockBytes();
        assertArrayEquals(Arrays.copyOf(expected, size), Arrays.copyOf(bytes, size));
        assertArrayEquals(
            Arrays.copyOfRange(expected, 2 * size, 3 * size),
            Arrays.copyOfRange(bytes, 2 * size, 3 * size));
        decode(type, bytes);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void aNanLeavesTheRestOfItsBlockFinite(TensorType type) {
    float[] values = gaussian(2 * type.blockLength());
    for (int nan : new int[] {0, type.blockLength() - 1}) {
      float[] spoilt = values.clone();
      spoilt[nan] = Float.NaN;
      float[] decoded = decode(type, encode(type, spoilt));
      for (int i = 0; i < decoded.length; i++) {
        assertTrue(i == nan || Float.isFinite(decoded[i]), "value " + i + " is " + decoded[i]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void oddValuesOfAllKindsInOneBlockAreNoError(TensorType type) {
    float[] values = gaussian(type.blockLength());
    float[] odd = {Float.NaN, Float.MAX_VALUE, -Float.MAX_VALUE, Float.NEGATIVE_INFINITY};
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 5 < odd.length ? odd[i % 5] : values[i];
    }
    decode(type, encode(type, values));
  }

  @ParameterizedTest
  @MethodSource("types")
  void anyBytesCanBeDecoded(TensorType type) {
    byte[] bytes = new byte[(int) type.rowBytes(BLOCKS * type.blockLength())];
    for (int fill : new int[] {0x00, 0x7F, 0x80, 0xFF}) {
      Arrays.fill(bytes, (byte) fill);
      encode(type, decode(type, bytes));
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void heapSegmentsAreRefused(TensorType type) {
    MemorySegment heap = MemorySegment.ofArray(new byte[type.blockBytes()]);
    float[] values = new float[type.blockLength()];
    assertThrows(
        BadArgumentException.class, () -> type.codec().decode(heap, 0, values, 0, values.length));
    assertThrows(
        BadArgumentException.class, () -> type.codec().encode(values, 0, heap, 0, values.length));
  }

  @Test
  void mappedFilesBeyond2GiBAreDecoded(@TempDir Path folder) throws IOException {
    long offset = (3L << 30) + 1;
    try (FileChannel file =
            FileChannel.open(
                folder.resolve("blocks"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE);
        Arena arena = Arena.ofConfined()) {
      for (TensorType type : types()) {
        float[] values = gaussian(BLOCKS * type.blockLength());
        byte[] bytes = encode(type, values);
        file.write(ByteBuffer.wrap(bytes), offset);
        MemorySegment mapped =
            file.map(FileChannel.MapMode.READ_ONLY, 0, offset + bytes.length, arena);
        float[] decoded = new float[values.length];
        type.codec().decode(mapped, offset, decoded, 0, decoded.length);
        assertArrayEquals(decode(type, bytes), decoded, type.name());
      }
    }
  }

  private static byte[] encode(TensorType type, float[] values) {
    try (Memory memory = Memory.allocate(type.rowBytes(values.length))) {
      type.codec().encode(values, 0, memory.segment(), 0, values.length);
      return memory.segment().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static float[] decode(TensorType type, byte[] bytes) {
    float[] values = new float[bytes.length / type.blockBytes() * type.blockLength()];
    try (Memory memory = Memory.allocate(bytes.length)) {
      memory.segment().copyFrom(MemorySegment.ofArray(bytes));
      type.codec().decode(memory.segment(), 0, values, 0, values.length);
    }
    return values;
  }

  private static float[] gaussian(int length) {
    Random random = new Random(length);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static MemorySegment guarded(long bytes) {
    return Arena.ofAuto().allocate(bytes).fill(GUARD);
  }

  private static void assertGuards(byte[] bytes, int begin, int end) {
    for (int i = 0; i < bytes.length; i++) {
      assertTrue((i >= begin && i < end) || bytes[i] == GUARD, "byte " + i + " was written");
    }
  }
}
