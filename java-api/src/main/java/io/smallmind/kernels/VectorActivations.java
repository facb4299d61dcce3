package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Quantized activations of the Vector API backend, in memory and on their way into registers.
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
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(S.vectorBitSize() / 2));
  private static final VectorMask<Integer> EVEN =
      VectorMask.fromLong(IntVector.SPECIES_PREFERRED, 0x5555);

  /** 1.5 · 2^23: added to a small float, it rounds it to an integer in the low bits. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);

  /** Pairs of q: the lower 16 bits come first. */
  int[] pairs = new int[0];

  /** For each half block the sums of q, as in memory. */
  int[] sums = new int[0];

  /** For each block, its scale. */
  float[] scale = new float[0];

  /** For each block, its scale times the sum of all its q. */
  float[] scaledSum = new float[0];

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

  // ---- Quantization

  static void quantize(Activations x, long rowBegin, long rowEnd) {
    Matrix source = x.source();
    long columns = source.columns();
    int whole = (int) (columns / BLOCK);
    for (long row = rowBegin; row < rowEnd; row++) {
      long from = source.rowOffset(row);
      long to = x.quantizedRowOffset(row);
      long sums = to + sumsOffset(columns);
      long scales = to + scalesOffset(columns);
      quantizeBlocks(source.segment(), from, x.quantized(), to, sums, scales, whole);
      if (whole * (long) BLOCK < columns) {
        quantizeTail(
            source.segment(),
            from + 4L * BLOCK * whole,
            (int) (columns - (long) BLOCK * whole),
            x.quantized(),
            to + 2L * BLOCK * whole,
            sums + 8L * whole,
            scales + 4L * whole);
      }
    }
  }

  private static void quantizeBlocks(
      MemorySegment source,
      long from,
      MemorySegment target,
      long to,
      long sums,
      long scales,
      int blocks) {
    for (int block = 0; block < blocks; block++) {
      long x = from + 4L * BLOCK * block;
      FloatVector largest = FloatVector.zero(S);
      for (int i = 0; i < BLOCK; i += L) {
        largest =
            largest.max(FloatVector.fromMemorySegment(S, source, x + 4L * i, LITTLE_ENDIAN).abs());
      }
      float max = largest.reduceLanes(VectorOperators.MAX); // NaN stays
      boolean finite = max <= Float.MAX_VALUE;
      float inverse = finite && max >= Kernels.ACTIVATION_TINY ? 127 / max : 0;
      for (int half = 0; half < 2; half++) {
        IntVector sum = IntVector.zero(IntVector.SPECIES_PREFERRED);
        for (int i = half * BLOCK / 2; i < (half + 1) * BLOCK / 2; i += L) {
          FloatVector values = FloatVector.fromMemorySegment(S, source, x + 4L * i, LITTLE_ENDIAN);
          IntVector q = values.mul(inverse).add(ROUNDER).reinterpretAsInts().sub(ROUNDER_BITS);
          if (!finite) {
            q = q.and(0);
          }
          sum = sum.add(q);
          ((ShortVector) q.convertShape(VectorOperators.I2S, HALF, 0))
              .intoMemorySegment(target, to + 2L * (block * BLOCK + i), LITTLE_ENDIAN);
        }
        int even = sum.reduceLanes(VectorOperators.ADD, EVEN);
        int odd = sum.reduceLanes(VectorOperators.ADD) - even;
        target.set(JAVA_INT_UNALIGNED, sums + 8L * block + 4 * half, even & 0xFFFF | odd << 16);
      }
      target.set(
          JAVA_FLOAT_UNALIGNED,
          scales + 4L * block,
          !finite ? Float.NaN : inverse == 0 ? 0 : max / 127);
    }
  }

  private static void quantizeTail(
      MemorySegment source,
      long from,
      int length,
      MemorySegment target,
      long to,
      long sums,
      long scales) {
    float max = 0;
    for (int i = 0; i < length; i++) {
      max = Math.max(max, Math.abs(source.get(JAVA_FLOAT_UNALIGNED, from + 4L * i)));
    }
    boolean finite = max <= Float.MAX_VALUE;
    float inverse = finite && max >= Kernels.ACTIVATION_TINY ? 127 / max : 0;
    for (int half = 0; half < 2; half++) {
      int even = 0;
      int odd = 0;
      for (int i = half * BLOCK / 2; i < (half + 1) * BLOCK / 2; i++) {
        float value = i < length && finite ? source.get(JAVA_FLOAT_UNALIGNED, from + 4L * i) : 0;
        int q = (int) Math.rint(value * inverse);
        target.set(JAVA_SHORT_UNALIGNED, to + 2L * i, (short) q);
        even += i % 2 == 0 ? q : 0;
        odd += i % 2 == 0 ? 0 : q;
      }
      target.set(JAVA_INT_UNALIGNED, sums + 4L * half, even & 0xFFFF | odd << 16);
    }
    target.set(JAVA_FLOAT_UNALIGNED, scales, !finite ? Float.NaN : inverse == 0 ? 0 : max / 127);
  }

  // ---- Reading

  /** Takes a row out of memory. */
  void load(Activations x, long row) {
    long columns = x.source().columns();
    int blocks = blocks(columns);
    reserve(blocks);
    long from = x.quantizedRowOffset(row);
    MemorySegment memory = x.quantized();
    MemorySegment.copy(memory, JAVA_INT_UNALIGNED, from, pairs, 0, blocks * BLOCK / 2);
    MemorySegment.copy(memory, JAVA_INT_UNALIGNED, from + sumsOffset(columns), sums, 0, 2 * blocks);
    MemorySegment.copy(
        memory, JAVA_FLOAT_UNALIGNED, from + scalesOffset(columns), scale, 0, blocks);
    for (int block = 0; block < blocks; block++) {
      int first = sums[2 * block];
      int second = sums[2 * block + 1];
      scaledSum[block] =
          scale[block] * ((short) first + (first >> 16) + (short) second + (second >> 16));
    }
  }

  private void reserve(int blocks) {
    if (scale.length < blocks) {
      pairs = new int[blocks * BLOCK / 2];
      sums = new int[blocks * 2];
      scale = new float[blocks];
      scaledSum = new float[blocks];
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
    MemorySegment memory = x.quantized();
    long q = x.quantizedRowOffset(row) + 2 * column;
    long scales =
        x.quantizedRowOffset(row) + scalesOffset(x.source().columns()) + column / BLOCK * 4;
    for (int block = 0; block < length / BLOCK; block++) {
      float d = memory.get(JAVA_FLOAT_UNALIGNED, scales + 4L * block);
      for (int i = block * BLOCK; i < (block + 1) * BLOCK; i += L) {
        ShortVector integers =
            ShortVector.fromMemorySegment(HALF, memory, q + 2L * i, LITTLE_ENDIAN);
        ((FloatVector) integers.convertShape(VectorOperators.S2F, S, 0))
            .mul(d)
            .intoArray(out, outOffset + i);
      }
    }
  }
}
