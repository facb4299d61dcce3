package io.smallmind.kernels;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * One row of activations times a group of packed floats, read on the way. Every result sums its
 * products in the order of columns.
 *
 * <p>Memory is read fast only in its order, which C2 does not keep where it unrolls a loop: loads
 * go to the front of the longer body, the last one first, unless each becomes part of a
 * multiply-add, which depends on what C2 knows when it compiles. A loop that counts bytes until it
 * meets its end ({@code !=}) is none of those that C2 unrolls. Why loads ask for {@link
 * VectorLanes#next}, see {@link VectorDots}.
 */
final class VectorFloatDots {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  /** F16 in the place of F32's bits lacks this factor, which activations get instead. */
  static final float F16_FACTOR = 0x1p112f;

  /** What is smaller can be multiplied by {@link #F16_FACTOR}. */
  static final float F16_LIMIT = 0x1p16f;

  private VectorFloatDots() {}

  /**
   * Adds the products of columns to sums.
   *
   * @param at of the first column, in bytes; F16 must be finite
   * @param x activations, those of F16 times {@link #F16_FACTOR}; with zeros where 16-bit columns
   *     are filled up
   * @param from which of them is the first column's
   * @param sums (ROWS)
   */
  static void add(
      TensorType type, MemorySegment w, long at, float[] x, int from, int columns, float[] sums) {
    int fours = (columns + VectorFloats.COLUMNS - 1) / VectorFloats.COLUMNS;
    long next = VectorLanes.next;
    switch (type) {
      case F16 -> f16(w, at, x, from, fours, next, sums);
      case BF16 -> bf16(w, at, x, from, fours, next, sums);
      default -> f32(w, at, x, from, columns, next, sums);
    }
  }

  private static void f32(
      MemorySegment w, long at, float[] x, int from, int columns, long next, float[] sums) {
    w = OffHeap.of(w);
    FloatVector a = FloatVector.fromArray(F, sums, 0);
    FloatVector b = FloatVector.fromArray(F, sums, L);
    int column = from;
    long end = at + 4L * ROWS * (columns & ~1);
    for (long word = at; word != end; word += 8L * ROWS) {
      FloatVector x0 = FloatVector.broadcast(F, x[column]);
      a = x0.fma(FloatVector.fromMemorySegment(F, w, word, LITTLE_ENDIAN), a);
      b = x0.fma(FloatVector.fromMemorySegment(F, w, word + next, LITTLE_ENDIAN), b);
      FloatVector x1 = FloatVector.broadcast(F, x[column + 1]);
      a = x1.fma(FloatVector.fromMemorySegment(F, w, word + 2 * next, LITTLE_ENDIAN), a);
      b = x1.fma(FloatVector.fromMemorySegment(F, w, word + 3 * next, LITTLE_ENDIAN), b);
      column += 2;
    }
    if (columns % 2 != 0) {
      FloatVector x0 = FloatVector.broadcast(F, x[column]);
      a = x0.fma(FloatVector.fromMemorySegment(F, w, end, LITTLE_ENDIAN), a);
      b = x0.fma(FloatVector.fromMemorySegment(F, w, end + next, LITTLE_ENDIAN), b);
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, L);
  }

  private static void bf16(
      MemorySegment w, long at, float[] x, int from, int fours, long next, float[] sums) {
    w = OffHeap.of(w);
    FloatVector a = FloatVector.fromArray(F, sums, 0);
    FloatVector b = FloatVector.fromArray(F, sums, L);
    int column = from;
    long end = at + 8L * ROWS * fours;
    for (long word = at; word != end; word += 8L * ROWS) {
      IntVector w0a = IntVector.fromMemorySegment(I, w, word, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, word + next, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.broadcast(F, x[column]);
      a = x0.fma(w0a.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), a);
      b = x0.fma(w0b.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), b);
      FloatVector x1 = FloatVector.broadcast(F, x[column + 1]);
      a = x1.fma(w0a.and(0xFFFF0000).reinterpretAsFloats(), a);
      b = x1.fma(w0b.and(0xFFFF0000).reinterpretAsFloats(), b);
      IntVector w1a = IntVector.fromMemorySegment(I, w, word + 2 * next, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, word + 3 * next, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.broadcast(F, x[column + 2]);
      a = x2.fma(w1a.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), a);
      b = x2.fma(w1b.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), b);
      FloatVector x3 = FloatVector.broadcast(F, x[column + 3]);
      a = x3.fma(w1a.and(0xFFFF0000).reinterpretAsFloats(), a);
      b = x3.fma(w1b.and(0xFFFF0000).reinterpretAsFloats(), b);
      column += 4;
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, L);
  }

  /** Moves the bits of F16 into the place of F32's: sign, five of eight bits of exponent, rest. */
  private static void f16(
      MemorySegment w, long at, float[] x, int from, int fours, long next, float[] sums) {
    w = OffHeap.of(w);
    FloatVector a = FloatVector.fromArray(F, sums, 0);
    FloatVector b = FloatVector.fromArray(F, sums, L);
    int column = from;
    long end = at + 8L * ROWS * fours;
    for (long word = at; word != end; word += 8L * ROWS) {
      IntVector w0a = IntVector.fromMemorySegment(I, w, word, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, word + next, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.broadcast(F, x[column]);
      IntVector low0a = w0a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3);
      IntVector low0b = w0b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3);
      a = x0.fma(low0a.and(0x8FFFE000).reinterpretAsFloats(), a);
      b = x0.fma(low0b.and(0x8FFFE000).reinterpretAsFloats(), b);
      FloatVector x1 = FloatVector.broadcast(F, x[column + 1]);
      IntVector high0a = w0a.lanewise(VectorOperators.ASHR, 3);
      IntVector high0b = w0b.lanewise(VectorOperators.ASHR, 3);
      a = x1.fma(high0a.and(0x8FFFE000).reinterpretAsFloats(), a);
      b = x1.fma(high0b.and(0x8FFFE000).reinterpretAsFloats(), b);
      IntVector w1a = IntVector.fromMemorySegment(I, w, word + 2 * next, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, word + 3 * next, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.broadcast(F, x[column + 2]);
      IntVector low1a = w1a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3);
      IntVector low1b = w1b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3);
      a = x2.fma(low1a.and(0x8FFFE000).reinterpretAsFloats(), a);
      b = x2.fma(low1b.and(0x8FFFE000).reinterpretAsFloats(), b);
      FloatVector x3 = FloatVector.broadcast(F, x[column + 3]);
      IntVector high1a = w1a.lanewise(VectorOperators.ASHR, 3);
      IntVector high1b = w1b.lanewise(VectorOperators.ASHR, 3);
      a = x3.fma(high1a.and(0x8FFFE000).reinterpretAsFloats(), a);
      b = x3.fma(high1b.and(0x8FFFE000).reinterpretAsFloats(), b);
      column += 4;
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, L);
  }
}
