package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Quantized activations of the Vector API backend.
 *
 * <p>A row in memory:
 *
 * <pre>
 * int16 q[columns in whole blocks]     the integers
 * int32 sums[blocks][2]                for each half of a block, the sum of the q at even places in
 *                                      the lower, at odd places in the upper 16 bits
 * float d[blocks]                      the scales; then padding to 64 bytes
 * </pre>
 *
 * <p>An object of this class holds one row in heap arrays: the kernels broadcast from there.
 */
final class VectorActivations {
  private static final int BLOCK = Kernels.ACTIVATION_BLOCK;
  private static final int HALF = BLOCK / 2;
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int L = VectorTile.L;
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(S.vectorBitSize() / 2));

  /** 1.5 · 2^23: added to a small float, it rounds it to an integer in the low bits. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);

  /** Of both halves of words. */
  private static final int[] NIBBLE_FACTORS = new int[L];

  private static final int[] FIRST_OF_FOUR = new int[L];

  static {
    Arrays.setAll(NIBBLE_FACTORS, i -> i % 4 == 0 ? 0 : 0x00100010);
    Arrays.setAll(FIRST_OF_FOUR, i -> i % 4 == 0 ? -1 : 0);
  }

  private static final ThreadLocal<VectorActivations> OF_THREAD =
      ThreadLocal.withInitial(VectorActivations::new);

  /** Pairs of q: the lower 16 bits come first. */
  int[] pairs = new int[0];

  /** For each half block the sums of q, as in memory; then whatever fills up a vector. */
  int[] sums = new int[0];

  /** For each half block what 16-bit sums begin with: the sums of q times the weights' offset. */
  int[] starts = new int[0];

  /**
   * Pairs as above, for weights of 4 bits: each q, in the order of a word's nibbles, less 16 times
   * the one before. A word that is shifted by some nibbles, and still has all above, is multiplied
   * by them: in the sum of both halves, modulo 2^16, what it has in excess cancels out.
   */
  int[] nibbles = new int[0];

  /**
   * For weights of 8 bits, at even places: the pair of q behind less 256 times the one there, which
   * is what upper bytes of words are multiplied by, see {@link VectorDots}.
   */
  int[] highs = new int[0];

  /** Likewise, what 16-bit sums of the products of two bytes begin with. */
  int[] byteStarts = new int[0];

  /** For each block, its scale. */
  float[] scale = new float[0];

  /**
   * For each group of the weights, if they have minimums: the negative scale times the sum of the
   * q, which is what those are multiplied by.
   */
  float[] negativeSums = new float[0];

  private float[] values = new float[0];
  private int[] q = new int[0];

  static int blocks(long columns) {
    return (int) ((columns + BLOCK - 1) / BLOCK);
  }

  static long rowBytes(long columns) {
    return (blocks(columns) * (2L * BLOCK + 8 + 4) + 63) / 64 * 64;
  }

  private static long sumsOffset(long columns) {
    return 2L * BLOCK * blocks(columns);
  }

  private static long scalesOffset(long columns) {
    return (2L * BLOCK + 8) * blocks(columns);
  }

  private void reserve(int blocks) {
    if (scale.length < blocks) {
      pairs = new int[blocks * HALF + 3];
      nibbles = new int[blocks * HALF + 1];
      highs = new int[blocks * HALF];
      byteStarts = new int[blocks * HALF];
      sums = new int[blocks * 2 + L];
      starts = new int[blocks * 2 + L];
      scale = new float[blocks];
      negativeSums = new float[blocks * 2];
      values = new float[blocks * BLOCK];
      q = new int[blocks * BLOCK];
    }
  }

  // ---- Quantization

  static void quantize(Activations x, long rowBegin, long rowEnd) {
    VectorActivations row = OF_THREAD.get();
    for (long i = rowBegin; i < rowEnd; i++) {
      row.quantizeRow(x, i);
    }
  }

  private void quantizeRow(Activations x, long row) {
    Matrix source = x.source();
    int columns = (int) source.columns();
    int blocks = blocks(columns);
    reserve(blocks);
    MemorySegment.copy(
        source.segment(), JAVA_FLOAT_UNALIGNED, source.rowOffset(row), values, 0, columns);
    Arrays.fill(values, columns, blocks * BLOCK, 0);
    for (int block = 0; block < blocks; block++) {
      quantizeBlock(block);
    }
    for (int half = 0; half < 2 * blocks; half++) {
      sums[half] = sums(q, half * HALF);
    }
    MemorySegment target = OffHeap.of(x.quantized());
    long to = x.quantizedRowOffset(row);
    store(q, blocks * BLOCK, target, to);
    MemorySegment.copy(sums, 0, target, JAVA_INT_UNALIGNED, to + sumsOffset(columns), 2 * blocks);
    MemorySegment.copy(scale, 0, target, JAVA_FLOAT_UNALIGNED, to + scalesOffset(columns), blocks);
  }

  private void quantizeBlock(int block) {
    float[] x = values;
    int from = block * BLOCK;
    FloatVector largest = FloatVector.zero(S);
    for (int i = 0; i < BLOCK; i += L) {
      largest = largest.max(FloatVector.fromArray(S, x, from + i).abs());
    }
    float max = largest.reduceLanes(VectorOperators.MAX); // NaN stays
    boolean finite = max <= Float.MAX_VALUE;
    float inverse = finite && max >= Kernels.ACTIVATION_TINY ? 127 / max : 0;
    scale[block] = !finite ? Float.NaN : inverse == 0 ? 0 : max / 127;
    if (!finite) {
      Arrays.fill(q, from, from + BLOCK, 0);
      return;
    }
    for (int i = 0; i < BLOCK; i += L) {
      FloatVector.fromArray(S, x, from + i)
          .mul(inverse)
          .add(ROUNDER)
          .reinterpretAsInts()
          .sub(ROUNDER_BITS)
          .intoArray(q, from + i);
    }
  }

  /** Returns the sums of a half block's q, written out: a loop costs more than what is in it. */
  private static int sums(int[] q, int i) {
    int even =
        (q[i] + q[i + 2] + q[i + 4] + q[i + 6]) + (q[i + 8] + q[i + 10] + q[i + 12] + q[i + 14]);
    int odd =
        (q[i + 1] + q[i + 3] + q[i + 5] + q[i + 7])
            + (q[i + 9] + q[i + 11] + q[i + 13] + q[i + 15]);
    return even & 0xFFFF | odd << 16;
  }

  private static void store(int[] q, int length, MemorySegment target, long to) {
    target = OffHeap.of(target);
    for (int i = 0; i < length / L; i++) {
      ((ShortVector) IntVector.fromArray(I, q, i * L).convertShape(VectorOperators.I2S, SHORTS, 0))
          .intoMemorySegment(target, to + 2L * L * i, LITTLE_ENDIAN);
    }
  }

  // ---- Reading

  /**
   * Takes a row out of memory.
   *
   * @param format of the weights that it will be multiplied with
   */
  void load(Activations x, long row, VectorFormat format) {
    long columns = x.source().columns();
    int blocks = blocks(columns);
    reserve(blocks);
    long from = x.quantizedRowOffset(row);
    MemorySegment memory = OffHeap.of(x.quantized());
    MemorySegment.copy(memory, JAVA_INT_UNALIGNED, from, pairs, 0, blocks * HALF);
    MemorySegment.copy(memory, JAVA_INT_UNALIGNED, from + sumsOffset(columns), sums, 0, 2 * blocks);
    MemorySegment.copy(
        memory, JAVA_FLOAT_UNALIGNED, from + scalesOffset(columns), scale, 0, blocks);
    if (format.bits == VectorFormat.Bits.NIBBLES) {
      MemorySegment.copy(memory, JAVA_INT_UNALIGNED, from, nibbles, 1, blocks * HALF);
      prepareNibbles(blocks * HALF);
    }
    if (format.bits == VectorFormat.Bits.BYTES) {
      prepareBytes(blocks * HALF);
    } else {
      prepareStarts(2 * blocks, (short) format.offset);
    }
    if (format.hasMinimums) {
      copyNegativeSums(x, row, 0, blocks * BLOCK, format.groupLength, negativeSums, 0);
    }
  }

  /**
   * Copies columns of a row.
   *
   * @param column a multiple of the block length
   * @param length likewise
   * @param pairs receives pairs of q
   * @param scale receives the blocks' scales
   */
  static void copy(
      Activations x,
      long row,
      long column,
      int length,
      int[] pairs,
      int pairsAt,
      float[] scale,
      int scaleAt) {
    long first = x.quantizedRowOffset(row);
    long scales = first + scalesOffset(x.source().columns()) + column / BLOCK * 4;
    MemorySegment memory = OffHeap.of(x.quantized());
    MemorySegment.copy(memory, JAVA_INT_UNALIGNED, first + 2 * column, pairs, pairsAt, length / 2);
    MemorySegment.copy(memory, JAVA_FLOAT_UNALIGNED, scales, scale, scaleAt, length / BLOCK);
  }

  /**
   * Computes for groups of columns of a row the negative scale times the sum of the q.
   *
   * @param column a multiple of the block length
   * @param length likewise
   * @param groupLength 16 or 32
   */
  static void copyNegativeSums(
      Activations x, long row, long column, int length, int groupLength, float[] out, int to) {
    long columns = x.source().columns();
    long first = x.quantizedRowOffset(row);
    long scales = first + scalesOffset(columns) + column / BLOCK * 4;
    long sums = first + sumsOffset(columns) + column / HALF * 4;
    MemorySegment memory = OffHeap.of(x.quantized());
    for (int block = 0; block < length / BLOCK; block++) {
      float d = -memory.get(JAVA_FLOAT_UNALIGNED, scales + 4L * block);
      int low = memory.get(JAVA_INT_UNALIGNED, sums + 8L * block);
      int high = memory.get(JAVA_INT_UNALIGNED, sums + 8L * block + 4);
      int lowSum = (short) low + (low >> 16);
      int highSum = (short) high + (high >> 16);
      if (groupLength == BLOCK) {
        out[to + block] = d * (lowSum + highSum);
      } else {
        out[to + 2 * block] = d * lowSum;
        out[to + 2 * block + 1] = d * highSum;
      }
    }
  }

  private void prepareStarts(int length, short offset) {
    for (int i = 0; i < length; i += L) {
      ShortVector both = IntVector.fromArray(I, sums, i).reinterpretAsShorts();
      both.mul(offset).reinterpretAsInts().intoArray(starts, i);
    }
  }

  /**
   * Finds the pair before each at its place, that is one place on. Before the upper half of a
   * word's first pair comes the lower half of its fourth.
   */
  private void prepareNibbles(int length) {
    ShortVector factors = IntVector.fromArray(I, NIBBLE_FACTORS, 0).reinterpretAsShorts();
    IntVector first = IntVector.fromArray(I, FIRST_OF_FOUR, 0);
    for (int i = 0; i < length; i += L) {
      ShortVector before = IntVector.fromArray(I, nibbles, i).reinterpretAsShorts();
      IntVector fourth = IntVector.fromArray(I, pairs, i + 3).lanewise(VectorOperators.LSHL, 20);
      IntVector.fromArray(I, pairs, i)
          .reinterpretAsShorts()
          .sub(before.mul(factors))
          .sub(fourth.and(first).reinterpretAsShorts())
          .reinterpretAsInts()
          .intoArray(nibbles, i);
    }
  }

  /** Weights of 8 bits have 128 added; sums of even columns begin with 2^15. */
  private void prepareBytes(int length) {
    ShortVector bias = IntVector.broadcast(I, 1 << 15).reinterpretAsShorts();
    for (int i = 0; i < length; i += L) {
      ShortVector low = IntVector.fromArray(I, pairs, i).reinterpretAsShorts();
      ShortVector high = IntVector.fromArray(I, pairs, i + 1).reinterpretAsShorts();
      high.sub(low.mul((short) 256)).reinterpretAsInts().intoArray(highs, i);
      low.add(high).mul((short) -128).add(bias).reinterpretAsInts().intoArray(byteStarts, i);
    }
  }

  /**
   * Writes columns of a row as F32, d · q.
   *
   * @param column a multiple of the block length
   * @param length likewise
   */
  static void dequantize(
      Activations x, long row, long column, int length, float[] out, int outOffset) {
    MemorySegment memory = OffHeap.of(x.quantized());
    long first = x.quantizedRowOffset(row);
    long scaleAt = first + scalesOffset(x.source().columns()) + column / BLOCK * 4;
    long q = first + 2 * column;
    long end = q + 2L * length;
    int to = outOffset;
    while (q != end) {
      float d = memory.get(JAVA_FLOAT_UNALIGNED, scaleAt);
      for (int i = 0; i < BLOCK; i += L) {
        ShortVector integers =
            ShortVector.fromMemorySegment(SHORTS, memory, q + 2L * i, LITTLE_ENDIAN);
        ((FloatVector) integers.convertShape(VectorOperators.S2F, S, 0))
            .mul(d)
            .intoArray(out, to + i);
      }
      scaleAt += 4;
      q += 2L * BLOCK;
      to += BLOCK;
    }
  }
}
