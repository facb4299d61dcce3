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
 * Decodes chunks of packed weights for many rows of activations: nibbles and six bits to 16-bit
 * integers, pairs of columns in words as in {@link VectorLanes}, (columns / 2, ROWS) row-major;
 * bytes to F32, (columns, ROWS) row-major.
 */
final class VectorPanels {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final VectorSpecies<Short> S = ShortVector.SPECIES_PREFERRED;
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  private VectorPanels() {}

  /**
   * Unpacks a chunk of nibbles or six bits to integers, offsets added.
   *
   * @param at of the integers, in bytes
   * @param columns length of the chunk
   * @param pairs receives (columns / 2, ROWS) words at an offset in bytes
   */
  static void unpack(
      VectorFormat format, MemorySegment w, long at, int columns, MemorySegment pairs, long to) {
    short offset = (short) format.offset;
    if (format.bits == VectorFormat.Bits.NIBBLES) {
      nibbles(w, at, columns / 4, offset, pairs, to);
    } else {
      six(w, at, columns / 8, offset, pairs, to);
    }
  }

  private static void nibbles(
      MemorySegment w, long at, int vectors, short offset, MemorySegment pairs, long first) {
    w = OffHeap.of(w);
    pairs = OffHeap.of(pairs);
    for (int i = 0; i < vectors; i++) {
      ShortVector q = ShortVector.fromMemorySegment(S, w, at + 4L * L * i, LITTLE_ENDIAN);
      long to = first + 4L * (i / 2 * 4 * ROWS + i % 2 * L);
      q.and((short) 15).add(offset).intoMemorySegment(pairs, to, LITTLE_ENDIAN);
      q.lanewise(VectorOperators.LSHR, 4)
          .and((short) 15)
          .add(offset)
          .intoMemorySegment(pairs, to + 4L * ROWS, LITTLE_ENDIAN);
      q.lanewise(VectorOperators.LSHR, 8)
          .and((short) 15)
          .add(offset)
          .intoMemorySegment(pairs, to + 2 * 4L * ROWS, LITTLE_ENDIAN);
      q.lanewise(VectorOperators.LSHR, 12)
          .add(offset)
          .intoMemorySegment(pairs, to + 3 * 4L * ROWS, LITTLE_ENDIAN);
    }
  }

  private static void six(
      MemorySegment w, long at, int vectors, short offset, MemorySegment pairs, long first) {
    w = OffHeap.of(w);
    pairs = OffHeap.of(pairs);
    for (int i = 0; i < vectors; i++) {
      long from = at + i / 2 * 12L * ROWS + i % 2 * 4L * L;
      long to = first + 4L * (i / 2 * 8 * ROWS + i % 2 * L);
      ShortVector q0 = ShortVector.fromMemorySegment(S, w, from, LITTLE_ENDIAN);
      ShortVector q1 = ShortVector.fromMemorySegment(S, w, from + 4L * ROWS, LITTLE_ENDIAN);
      ShortVector q2 = ShortVector.fromMemorySegment(S, w, from + 8L * ROWS, LITTLE_ENDIAN);
      q0.and((short) 63).add(offset).intoMemorySegment(pairs, to, LITTLE_ENDIAN);
      q0.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .intoMemorySegment(pairs, to + 4L * ROWS, LITTLE_ENDIAN);
      q1.and((short) 63).add(offset).intoMemorySegment(pairs, to + 2 * 4L * ROWS, LITTLE_ENDIAN);
      q1.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .intoMemorySegment(pairs, to + 3 * 4L * ROWS, LITTLE_ENDIAN);
      q2.and((short) 63).add(offset).intoMemorySegment(pairs, to + 4 * 4L * ROWS, LITTLE_ENDIAN);
      q2.lanewise(VectorOperators.LSHR, 6)
          .and((short) 63)
          .add(offset)
          .intoMemorySegment(pairs, to + 5 * 4L * ROWS, LITTLE_ENDIAN);
      q0.lanewise(VectorOperators.LSHR, 12)
          .or(q2.lanewise(VectorOperators.LSHR, 8).and((short) 48))
          .add(offset)
          .intoMemorySegment(pairs, to + 6 * 4L * ROWS, LITTLE_ENDIAN);
      q1.lanewise(VectorOperators.LSHR, 12)
          .or(q2.lanewise(VectorOperators.LSHR, 10).and((short) 48))
          .add(offset)
          .intoMemorySegment(pairs, to + 7 * 4L * ROWS, LITTLE_ENDIAN);
    }
  }

  /**
   * Decodes a chunk of bytes.
   *
   * @param at of the integers, in bytes
   * @param columns length of the chunk
   * @param scale by group of 32 columns, (columns / 32, ROWS)
   * @param panel receives (columns, ROWS) at an offset
   */
  static void decode(
      MemorySegment w, long at, int columns, float[] scale, float[] panel, int panelOffset) {
    w = OffHeap.of(w);
    for (int i = 0; i < columns / 2; i++) {
      int word = i / 2;
      int half = i % 2 * L;
      IntVector q = IntVector.fromMemorySegment(I, w, at + 4L * L * i, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromArray(F, scale, word / 8 * ROWS + half);
      int to = panelOffset + word * 4 * ROWS + half;
      IntVector q0 = q.and(0xFF).sub(128);
      IntVector q2 = q.lanewise(VectorOperators.LSHR, 8).and(0xFF).sub(128);
      IntVector q1 = q.lanewise(VectorOperators.LSHR, 16).and(0xFF).sub(128);
      IntVector q3 = q.lanewise(VectorOperators.LSHR, 24).sub(128);
      ((FloatVector) q0.convertShape(VectorOperators.I2F, F, 0)).mul(d).intoArray(panel, to);
      ((FloatVector) q1.convertShape(VectorOperators.I2F, F, 0)).mul(d).intoArray(panel, to + ROWS);
      ((FloatVector) q2.convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to + 2 * ROWS);
      ((FloatVector) q3.convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to + 3 * ROWS);
    }
  }
}
