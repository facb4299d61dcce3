package io.smallmind.kernels;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decodes chunks of packed weights: first to 16-bit integers, pairs of columns in words as in
 * {@link VectorLanes}, (columns / 2, ROWS) row-major, then to F32, (columns, ROWS) row-major.
 */
final class VectorPanels {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final VectorSpecies<Short> S = ShortVector.SPECIES_PREFERRED;
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  private VectorPanels() {}

  /**
   * Unpacks a chunk to integers, offsets added.
   *
   * @param at of the integers, in bytes
   * @param columns length of the chunk
   */
  static void unpack(VectorFormat format, MemorySegment w, long at, int columns, int[] pairs) {
    short offset = (short) format.offset;
    switch (format.bits) {
      case NIBBLES -> nibbles(w, at, columns / 4, offset, pairs);
      case SIX -> six(w, at, columns / 8, offset, pairs);
      case BYTES -> bytes(w, at, columns / 2, pairs);
    }
  }

  private static void nibbles(MemorySegment w, long at, int vectors, short offset, int[] pairs) {
    w = OffHeap.of(w);
    for (int i = 0; i < vectors; i++) {
      ShortVector q = ShortVector.fromMemorySegment(S, w, at + 4L * L * i, LITTLE_ENDIAN);
      int to = i / 2 * 4 * ROWS + i % 2 * L;
      q.and((short) 15).add(offset).reinterpretAsInts().intoArray(pairs, to);
      q.lanewise(VectorOperators.LSHR, 4)
          .and((short) 15)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + ROWS);
      q.lanewise(VectorOperators.LSHR, 8)
          .and((short) 15)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 2 * ROWS);
      q.lanewise(VectorOperators.LSHR, 12)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 3 * ROWS);
    }
  }

  private static void six(MemorySegment w, long at, int vectors, short offset, int[] pairs) {
    w = OffHeap.of(w);
    for (int i = 0; i < vectors; i++) {
      long from = at + i / 2 * 12L * ROWS + i % 2 * 4L * L;
      int to = i / 2 * 8 * ROWS + i % 2 * L;
      ShortVector q0 = ShortVector.fromMemorySegment(S, w, from, LITTLE_ENDIAN);
      ShortVector q1 = ShortVector.fromMemorySegment(S, w, from + 4L * ROWS, LITTLE_ENDIAN);
      ShortVector q2 = ShortVector.fromMemorySegment(S, w, from + 8L * ROWS, LITTLE_ENDIAN);
      q0.and((short) 63).add(offset).reinterpretAsInts().intoArray(pairs, to);
      q0.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + ROWS);
      q1.and((short) 63).add(offset).reinterpretAsInts().intoArray(pairs, to + 2 * ROWS);
      q1.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 3 * ROWS);
      q2.and((short) 63).add(offset).reinterpretAsInts().intoArray(pairs, to + 4 * ROWS);
      q2.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 5 * ROWS);
      q0.lanewise(VectorOperators.LSHR, 12)
          .or(q2.lanewise(VectorOperators.LSHR, 8).and((short) 48))
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 6 * ROWS);
      q1.lanewise(VectorOperators.LSHR, 12)
          .or(q2.lanewise(VectorOperators.LSHR, 10).and((short) 48))
          .add(offset)
          .reinterpretAsInts()
          .intoArray(pairs, to + 7 * ROWS);
    }
  }

  private static void bytes(MemorySegment w, long at, int vectors, int[] pairs) {
    w = OffHeap.of(w);
    for (int i = 0; i < vectors; i++) {
      IntVector q = IntVector.fromMemorySegment(I, w, at + 4L * L * i, LITTLE_ENDIAN);
      int to = i / 2 * 2 * ROWS + i % 2 * L;
      q.and(0x00FF00FF)
          .reinterpretAsShorts()
          .sub((short) 128)
          .reinterpretAsInts()
          .intoArray(pairs, to);
      q.lanewise(VectorOperators.LSHR, 8)
          .and(0x00FF00FF)
          .reinterpretAsShorts()
          .sub((short) 128)
          .reinterpretAsInts()
          .intoArray(pairs, to + ROWS);
    }
  }

  /**
   * Scales an unpacked chunk.
   *
   * @param columns length of the chunk
   * @param panel receives (columns, ROWS)
   */
  static void scale(
      VectorFormat format,
      int[] pairs,
      int columns,
      VectorScales scales,
      float[] panel,
      int panelOffset) {
    int length = format.groupLength / 2;
    for (int i = 0; i < columns / format.groupLength; i++) {
      int from = i * length * ROWS;
      int to = panelOffset + 2 * from;
      scaleGroup(pairs, from, length, scales, i * ROWS, panel, to);
      scaleGroup(pairs, from + L, length, scales, i * ROWS + L, panel, to + L);
    }
  }

  /** Scales a group of columns of a vector of rows. */
  private static void scaleGroup(
      int[] pairs,
      int from,
      int length,
      VectorScales scales,
      int scaleIndex,
      float[] panel,
      int to) {
    FloatVector scale = FloatVector.fromArray(F, scales.scale, scaleIndex);
    FloatVector minimum = FloatVector.fromArray(F, scales.minimum, scaleIndex);
    for (int i = 0; i < length; i++) {
      IntVector pair = IntVector.fromArray(I, pairs, from + i * ROWS);
      IntVector even = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
      IntVector odd = pair.lanewise(VectorOperators.ASHR, 16);
      ((FloatVector) even.convertShape(VectorOperators.I2F, F, 0))
          .mul(scale)
          .sub(minimum)
          .intoArray(panel, to + 2 * i * ROWS);
      ((FloatVector) odd.convertShape(VectorOperators.I2F, F, 0))
          .mul(scale)
          .sub(minimum)
          .intoArray(panel, to + (2 * i + 1) * ROWS);
    }
  }
}
