package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Keys of one head in a page, decoded to floats and turned, so that vectors run over positions.
 * Bits are those of the codecs.
 *
 * <p>Turning moves one element at a time, so it comes first, while two values of F16 or four of
 * Q8_0 are one element.
 */
final class VectorKeys {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int L = VectorTile.L;
  private static final int TILE = KvPages.PAGE_LENGTH;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int BLOCK_BYTES = 2 + 32; // of Q8_0

  /** What F16 in the place of F32's bits lacks. */
  private static final float F16_FACTOR = 0x1p112f;

  /** (headDim, TILE) row-major; of positions that were not loaded, anything. */
  float[] keys = {};

  private float[] rows = {}; // (positions, headDim), where they are decoded first
  private int[] words = {}; // (positions, words of a row), as in the page
  private int[] turned = {}; // (words of a row, TILE)
  private byte[] bytes = {}; // (positions, row), as in the page
  private float[] scales = {}; // (blocks of a row, TILE)

  /** Makes room for heads of a length. */
  void reserve(KvPages kv) {
    int headDim = kv.headDim();
    if (keys.length < headDim * TILE) {
      keys = new float[headDim * TILE];
      rows = new float[headDim * TILE];
      words = new int[headDim * TILE / 2];
      turned = new int[headDim * TILE / 2];
      scales = new float[headDim * TILE / 32];
    }
    if (bytes.length < kv.rowBytes() * TILE) {
      bytes = new byte[(int) kv.rowBytes() * TILE];
    }
  }

  /**
   * Loads consecutive positions.
   *
   * @param offset of the first one's row in the page, in bytes
   * @param from the first position of the page to load
   */
  void load(KvPages kv, MemorySegment page, long offset, int from, int count) {
    int headDim = kv.headDim();
    switch (kv.type()) {
      case F16 -> loadF16(page, offset, from, count, headDim);
      case Q8_0 -> loadQ8(page, offset, from, count, headDim);
      default -> {
        MemorySegment.copy(page, JAVA_FLOAT_UNALIGNED, offset, rows, 0, count * headDim);
        turn(rows, keys, from, count, headDim);
      }
    }
  }

  private static void turn(float[] rows, float[] columns, int from, int count, int length) {
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < length; i++) {
        columns[i * TILE + from + row] = rows[row * length + i];
      }
    }
  }

  private static void turn(int[] rows, int[] columns, int from, int count, int length) {
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < length; i++) {
        columns[i * TILE + from + row] = rows[row * length + i];
      }
    }
  }

  private void loadF16(MemorySegment page, long offset, int from, int count, int headDim) {
    int length = headDim / 2;
    if (headDim % 2 == 0) {
      MemorySegment.copy(page, JAVA_INT_UNALIGNED, offset, words, 0, count * length);
      if (areFinite(words, count * length)) {
        turn(words, turned, from, count, length);
        decodeF16(turned, length * TILE, keys);
        return;
      }
    }
    VectorHalves.fromF16(page, offset, rows, 0, count * headDim);
    turn(rows, keys, from, count, headDim);
  }

  /** Tells whether pairs of F16 are numbers: the exponent of others has no place for one more. */
  private static boolean areFinite(int[] pairs, int length) {
    int carried = 0;
    for (int i = 0; i < length; i++) {
      carried |= (pairs[i] & 0x7C007C00) + 0x04000400;
    }
    return (carried & 0x80008000) == 0;
  }

  /** Decodes pairs of F16 that are finite. */
  private static void decodeF16(int[] turned, int length, float[] keys) {
    for (int at = 0; at != length; at += L) {
      int position = at % TILE;
      int to = 2 * at - position;
      IntVector both = IntVector.fromArray(I, turned, at);
      both.lanewise(VectorOperators.LSHL, 16)
          .lanewise(VectorOperators.ASHR, 3)
          .and(0x8FFFE000)
          .reinterpretAsFloats()
          .mul(F16_FACTOR)
          .intoArray(keys, to);
      both.lanewise(VectorOperators.ASHR, 3)
          .and(0x8FFFE000)
          .reinterpretAsFloats()
          .mul(F16_FACTOR)
          .intoArray(keys, to + TILE);
    }
  }

  private void loadQ8(MemorySegment page, long offset, int from, int count, int headDim) {
    int blocks = headDim / 32;
    MemorySegment.copy(page, JAVA_BYTE, offset, bytes, 0, count * blocks * BLOCK_BYTES);
    for (int row = 0; row < count; row++) {
      for (int block = 0; block < blocks; block++) {
        int at = (row * blocks + block) * BLOCK_BYTES;
        short scale = (short) ((bytes[at] & 0xFF) | bytes[at + 1] << 8);
        scales[block * TILE + from + row] = Float.float16ToFloat(scale);
        turnBlock(bytes, at + 2, turned, block * 8 * TILE + from + row);
      }
    }
    decodeQ8(turned, headDim / 4 * TILE, scales, keys);
  }

  /** Turns the 32 bytes of a block, written out: a loop costs more than what is in it. */
  private static void turnBlock(byte[] bytes, int at, int[] turned, int to) {
    turned[to] = (int) INT.get(bytes, at);
    turned[to + TILE] = (int) INT.get(bytes, at + 4);
    turned[to + 2 * TILE] = (int) INT.get(bytes, at + 8);
    turned[to + 3 * TILE] = (int) INT.get(bytes, at + 12);
    turned[to + 4 * TILE] = (int) INT.get(bytes, at + 16);
    turned[to + 5 * TILE] = (int) INT.get(bytes, at + 20);
    turned[to + 6 * TILE] = (int) INT.get(bytes, at + 24);
    turned[to + 7 * TILE] = (int) INT.get(bytes, at + 28);
  }

  private static void decodeQ8(int[] turned, int length, float[] scales, float[] keys) {
    for (int at = 0; at != length; at += L) {
      int position = at % TILE;
      int to = 4 * at - 3 * position;
      FloatVector scale = FloatVector.fromArray(F, scales, at / (8 * TILE) * TILE + position);
      IntVector four = IntVector.fromArray(I, turned, at);
      for (int i = 0; i < 4; i++) {
        IntVector q =
            four.lanewise(VectorOperators.LSHL, 24 - 8 * i).lanewise(VectorOperators.ASHR, 24);
        ((FloatVector) q.convertShape(VectorOperators.I2F, F, 0))
            .mul(scale)
            .intoArray(keys, to + i * TILE);
      }
    }
  }
}
