package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.OffHeap;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * F32, F16 and BF16 weights packed for the Vector API: groups of rows side by side, as in {@link
 * VectorLanes}, each row in a 32-bit lane of its own; missing rows of the last group are zeros.
 *
 * <p>A group is a sequence of words per row, word w of row r at index w · ROWS + r. A word is a
 * column of F32, or two of 16 bits, the even one in the lower half, filled up with zeros to a
 * multiple of {@link #COLUMNS}. A group of F16 ends with a vector of words that are 0 if all its
 * weights are finite.
 */
final class VectorFloats {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int L = VectorTile.L;
  private static final int ROWS = VectorLanes.ROWS;

  /** Columns of 16 bits come in this number. */
  static final int COLUMNS = 4;

  /** Columns that are packed at once. */
  private static final int STEP = 128;

  private static final class Scratch {
    final short[] halves = new short[STEP];
    final float[] values = new float[STEP];
    final int[] words = new int[STEP * ROWS];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private VectorFloats() {}

  /** Returns the size of a group, in bytes. */
  static long groupBytes(TensorType type, long columns) {
    return columnBytes(type, columns) + (type == TensorType.F16 ? 4L * L : 0);
  }

  /** Returns the size of a group's columns before this one, or of all. */
  static long columnBytes(TensorType type, long column) {
    return 4L * ROWS * (type == TensorType.F32 ? column : (column + COLUMNS - 1) / COLUMNS * 2);
  }

  /**
   * Tells whether no weight of a group is infinite or NaN, of which only F16 makes a difference.
   */
  static boolean isFinite(TensorType type, MemorySegment w, long group, long columns) {
    return type != TensorType.F16 || w.get(JAVA_INT, group + columnBytes(type, columns)) == 0;
  }

  /** Packs rows; rowBegin is the first of a group. */
  static void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    Scratch scratch = SCRATCH.get();
    TensorType type = source.type();
    for (long row = rowBegin; row < rowEnd; row += ROWS) {
      int rows = (int) Math.min(ROWS, rowEnd - row);
      long to = row / ROWS * groupBytes(type, source.columns());
      boolean finite = true;
      for (long column = 0; column < source.columns(); column += STEP) {
        int columns = (int) Math.min(STEP, source.columns() - column);
        int bytes = (int) columnBytes(type, columns);
        Arrays.fill(scratch.words, 0, bytes / 4, 0);
        for (int lane = 0; lane < rows; lane++) {
          finite &= packRow(source, row + lane, column, columns, scratch, lane);
        }
        MemorySegment.copy(scratch.words, 0, target, JAVA_INT, to, bytes / 4);
        to += bytes;
      }
      if (type == TensorType.F16) {
        Arrays.fill(scratch.words, 0, L, finite ? 0 : 1);
        MemorySegment.copy(scratch.words, 0, target, JAVA_INT, to, L);
      }
    }
  }

  /** Puts some columns of a row into their lane; returns whether they are finite, if F16. */
  private static boolean packRow(
      Matrix source, long row, long column, int columns, Scratch scratch, int lane) {
    TensorType type = source.type();
    int[] words = scratch.words;
    long from = source.rowOffset(row) + type.rowBytes(column);
    if (type == TensorType.F32) {
      float[] values = scratch.values;
      MemorySegment.copy(source.segment(), JAVA_FLOAT_UNALIGNED, from, values, 0, columns);
      for (int i = 0; i < columns; i++) {
        words[i * ROWS + lane] = Float.floatToRawIntBits(values[i]);
      }
      return true;
    }
    short[] halves = scratch.halves;
    MemorySegment.copy(source.segment(), JAVA_SHORT_UNALIGNED, from, halves, 0, columns);
    int exponents = 0;
    for (int i = 0; i < columns; i++) {
      words[i / 2 * ROWS + lane] |= (halves[i] & 0xFFFF) << i % 2 * 16;
      exponents |= (halves[i] & 0x7FFF) + 0x0400; // carries into the sign if all ones
    }
    return type != TensorType.F16 || (exponents & 0x8000) == 0;
  }

  // ---- Decoding

  /**
   * Decodes columns of a group to F32.
   *
   * @param at of the first column, in bytes
   * @param columns how many
   * @param panel receives (columns, ROWS) row-major; has room for an even number
   */
  static void decode(
      TensorType type, MemorySegment w, long at, int columns, float[] panel, int offset) {
    switch (type) {
      case F16 -> f16(w, at, (columns + 1) / 2, panel, offset);
      case BF16 -> bf16(w, at, (columns + 1) / 2, panel, offset);
      default -> MemorySegment.copy(w, JAVA_FLOAT_UNALIGNED, at, panel, offset, columns * ROWS);
    }
  }

  /** Converts any F16 as {@link VectorHalves} does. */
  private static void f16(MemorySegment w, long at, int pairs, float[] panel, int offset) {
    w = OffHeap.of(w);
    for (int i = 0; i < 2 * pairs; i++) {
      IntVector word = IntVector.fromMemorySegment(I, w, at + 4L * L * i, LITTLE_ENDIAN);
      int to = offset + i / 2 * 2 * ROWS + i % 2 * L;
      IntVector low = word.lanewise(VectorOperators.LSHL, 16);
      IntVector lowBits = low.and(0x7FFFFFFF).lanewise(VectorOperators.LSHR, 3);
      lowBits
          .reinterpretAsFloats()
          .mul(0x1p112f)
          .reinterpretAsInts()
          .blend(lowBits.or(0x7F800000), lowBits.compare(VectorOperators.GE, 0x0F800000))
          .or(low.and(0x80000000))
          .reinterpretAsFloats()
          .intoArray(panel, to);
      IntVector high = word.and(0xFFFF0000);
      IntVector highBits = high.and(0x7FFFFFFF).lanewise(VectorOperators.LSHR, 3);
      highBits
          .reinterpretAsFloats()
          .mul(0x1p112f)
          .reinterpretAsInts()
          .blend(highBits.or(0x7F800000), highBits.compare(VectorOperators.GE, 0x0F800000))
          .or(high.and(0x80000000))
          .reinterpretAsFloats()
          .intoArray(panel, to + ROWS);
    }
  }

  private static void bf16(MemorySegment w, long at, int pairs, float[] panel, int offset) {
    w = OffHeap.of(w);
    for (int i = 0; i < 2 * pairs; i++) {
      IntVector word = IntVector.fromMemorySegment(I, w, at + 4L * L * i, LITTLE_ENDIAN);
      int to = offset + i / 2 * 2 * ROWS + i % 2 * L;
      word.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(panel, to);
      word.and(0xFFFF0000).reinterpretAsFloats().intoArray(panel, to + ROWS);
    }
  }
}
