package io.smallmind.kernels;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q6_K in lanes: per block a word of two rows' scales, F16; then four times, for four groups of 16,
 * a word per row with their scales, a byte each, and per group a word with the upper two bits of
 * every q and two with the lower four, in the order of {@link VectorQ40}. Memory is read in exactly
 * this order: hardware prefetch gives up on anything else.
 */
final class VectorQ6K extends VectorLanes {
  /** Words of a group: upper bits, then lower bits. */
  private static final int GROUP = 3 * ROWS;

  /** Words of four groups: their scales come first. */
  private static final int QUARTER = ROWS + 4 * GROUP;

  VectorQ6K() {
    super(TensorType.Q6_K, 1 + 2 * (4 + 16 * 3));
  }

  @Override
  void packBlock(byte[] stored, int[] lanes, int lane) {
    put16(lanes, 0, lane, u16(stored, 208));
    for (int group = 0; group < 16; group++) {
      int index = L + group / 4 * QUARTER + lane;
      lanes[index] |= (stored[192 + group] & 0xFF) << group % 4 * 8;
    }
    for (int column = 0; column < 256; column++) {
      int low = stored[column / 128 * 64 + column % 64] >> (column % 128 < 64 ? 0 : 4) & 15;
      int high = stored[128 + column / 128 * 32 + column % 32] >> column % 128 / 32 * 2 & 3;
      int group = L + column / 64 * QUARTER + ROWS + column / 16 % 4 * GROUP + lane;
      int i = column % 16;
      lanes[group] |= high << i / 2 * 2 + i % 2 * 16;
      lanes[group + (1 + i / 8) * ROWS] |= low << i % 8 / 2 * 4 + i % 2 * 16;
    }
  }

  @Override
  void multiply(VectorActivations x, MemorySegment w, long offset, int blocks, float[] out) {
    int[] pairs = x.pairs;
    int[] sums = x.sums;
    float[] scale = x.scale;
    Arrays.fill(out, 0, ROWS, 0);
    long at = offset;
    for (int block = 0; block < blocks; block++) {
      IntVector d = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
      IntVector dah = d;
      IntVector dam = dah.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      IntVector daf = dam.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
      FloatVector da =
          daf.blend(dam.or(0x7F800000), daf.compare(VectorOperators.GE, FIRST_INFINITE))
              .or(dah.and(0x8000).lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsFloats();
      IntVector dbh = d.lanewise(VectorOperators.LSHR, 16);
      IntVector dbm = dbh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      IntVector dbf = dbm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
      FloatVector db =
          dbf.blend(dbm.or(0x7F800000), dbf.compare(VectorOperators.GE, FIRST_INFINITE))
              .or(dbh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsFloats();
      at += 4L * L;
      for (int quarter = 0; quarter < 4; quarter++) {
        IntVector scalesa = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
        IntVector scalesb = IntVector.fromMemorySegment(I, w, at + 4L * L, LITTLE_ENDIAN);
        at += 4L * ROWS;
        for (int i = 0; i < 4; i++, at += 4L * GROUP) {
          int half = block * 16 + quarter * 4 + i;
          IntVector ha = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
          IntVector hb = IntVector.fromMemorySegment(I, w, at + 4L * L, LITTLE_ENDIAN);
          ShortVector suma =
              IntVector.broadcast(I, sums[half]).reinterpretAsShorts().mul((short) -32);
          ShortVector sumb = suma;
          for (int word = 0; word < 2; word++) {
            long from = at + 4L * (1 + word) * ROWS;
            int pair = half * 8 + word * 4;
            IntVector wa = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
            IntVector wb = IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN);
            ShortVector q0a =
                wa.and(0x000F000F)
                    .or(ha.lanewise(VectorOperators.LSHL, 4).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector q0b =
                wb.and(0x000F000F)
                    .or(hb.lanewise(VectorOperators.LSHL, 4).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
            suma = suma.add(q0a.mul(p0));
            sumb = sumb.add(q0b.mul(p0));
            ShortVector q1a =
                wa.lanewise(VectorOperators.LSHR, 4)
                    .and(0x000F000F)
                    .or(ha.lanewise(VectorOperators.LSHL, 2).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector q1b =
                wb.lanewise(VectorOperators.LSHR, 4)
                    .and(0x000F000F)
                    .or(hb.lanewise(VectorOperators.LSHL, 2).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
            suma = suma.add(q1a.mul(p1));
            sumb = sumb.add(q1b.mul(p1));
            ShortVector q2a =
                wa.lanewise(VectorOperators.LSHR, 8)
                    .and(0x000F000F)
                    .or(ha.and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector q2b =
                wb.lanewise(VectorOperators.LSHR, 8)
                    .and(0x000F000F)
                    .or(hb.and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
            suma = suma.add(q2a.mul(p2));
            sumb = sumb.add(q2b.mul(p2));
            ShortVector q3a =
                wa.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000F000F)
                    .or(ha.lanewise(VectorOperators.LSHR, 2).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector q3b =
                wb.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000F000F)
                    .or(hb.lanewise(VectorOperators.LSHR, 2).and(0x00300030))
                    .reinterpretAsShorts();
            ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
            suma = suma.add(q3a.mul(p3));
            sumb = sumb.add(q3b.mul(p3));
            ha = ha.lanewise(VectorOperators.LSHR, 8);
            hb = hb.lanewise(VectorOperators.LSHR, 8);
          }
          FloatVector scalea =
              ((FloatVector)
                      scalesa
                          .lanewise(VectorOperators.LSHL, 24)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convertShape(VectorOperators.I2F, F, 0))
                  .mul(da);
          FloatVector scaleb =
              ((FloatVector)
                      scalesb
                          .lanewise(VectorOperators.LSHL, 24)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convertShape(VectorOperators.I2F, F, 0))
                  .mul(db);
          ((FloatVector)
                  suma.reinterpretAsInts()
                      .lanewise(VectorOperators.LSHL, 16)
                      .lanewise(VectorOperators.ASHR, 16)
                      .add(suma.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                      .convertShape(VectorOperators.I2F, F, 0))
              .fma(scalea.mul(scale[half / 2]), FloatVector.fromArray(F, out, 0))
              .intoArray(out, 0);
          ((FloatVector)
                  sumb.reinterpretAsInts()
                      .lanewise(VectorOperators.LSHL, 16)
                      .lanewise(VectorOperators.ASHR, 16)
                      .add(sumb.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                      .convertShape(VectorOperators.I2F, F, 0))
              .fma(scaleb.mul(scale[half / 2]), FloatVector.fromArray(F, out, L))
              .intoArray(out, L);
          scalesa = scalesa.lanewise(VectorOperators.LSHR, 8);
          scalesb = scalesb.lanewise(VectorOperators.LSHR, 8);
        }
      }
    }
  }

  @Override
  void decode(MemorySegment w, long offset, int blocks, float[] panel, int panelOffset) {
    for (int block = 0; block < blocks; block++) {
      long at = offset + block * blockBytes();
      int to = panelOffset + block * 256 * ROWS;
      decodeHalf(w, at, panel, to, 0);
      decodeHalf(w, at, panel, to, L);
    }
  }

  /** Decodes one of the two vectors of rows. */
  private static void decodeHalf(
      MemorySegment w, long at, float[] panel, int panelOffset, int lane) {
    IntVector bits =
        IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN)
            .lanewise(VectorOperators.LSHR, lane == 0 ? 0 : 16);
    IntVector dh = bits;
    IntVector dm = dh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
    IntVector df = dm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
    FloatVector d =
        df.blend(dm.or(0x7F800000), df.compare(VectorOperators.GE, FIRST_INFINITE))
            .or(dh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
            .reinterpretAsFloats();
    for (int group = 0; group < 16; group++) {
      long quarter = at + 4L * (L + group / 4 * QUARTER + lane);
      long from = quarter + 4L * (ROWS + group % 4 * GROUP);
      IntVector upper = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector scales = IntVector.fromMemorySegment(I, w, quarter, LITTLE_ENDIAN);
      IntVector byteScale =
          scales
              .lanewise(VectorOperators.LSHL, 24 - group % 4 * 8)
              .lanewise(VectorOperators.ASHR, 24);
      FloatVector scale = ((FloatVector) byteScale.convertShape(VectorOperators.I2F, F, 0)).mul(d);
      for (int word = 0; word < 2; word++) {
        IntVector lower =
            IntVector.fromMemorySegment(I, w, from + 4L * (1 + word) * ROWS, LITTLE_ENDIAN);
        int to = panelOffset + (group * 16 + word * 8) * ROWS + lane;
        for (int i = 0; i < 8; i += 2) {
          IntVector q =
              lower.and(0x000F000F).or(upper.and(0x00030003).lanewise(VectorOperators.LSHL, 4));
          ((FloatVector) q.and(63).sub(32).convertShape(VectorOperators.I2F, F, 0))
              .mul(scale)
              .intoArray(panel, to + i * ROWS);
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 16)
                      .sub(32)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(scale)
              .intoArray(panel, to + (i + 1) * ROWS);
          lower = lower.lanewise(VectorOperators.LSHR, 4);
          upper = upper.lanewise(VectorOperators.LSHR, 2);
        }
      }
    }
  }
}
