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
 * Q4_0 in lanes: per block a word of two rows' scales, F16, then four words per row: nibble i of
 * the lower 16 bits of word w is q of column 8 w + 2 i, of the upper 16 bits that of column 8 w + 2
 * i + 1.
 */
final class VectorQ40 extends VectorLanes {
  private static final int WORDS = 4;

  VectorQ40() {
    super(TensorType.Q4_0, 1 + 2 * WORDS);
  }

  @Override
  void packBlock(byte[] stored, int[] lanes, int lane) {
    put16(lanes, 0, lane, u16(stored, 0));
    for (int word = 0; word < WORDS; word++) {
      int bits = 0;
      for (int i = 0; i < 8; i++) {
        int column = 8 * word + i;
        int q = stored[2 + column % 16] >> column / 16 * 4 & 15;
        bits |= q << i / 2 * 4 + i % 2 * 16;
      }
      lanes[L + word * ROWS + lane] = bits;
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
      ShortVector suma =
          IntVector.broadcast(I, sums[2 * block])
              .reinterpretAsShorts()
              .add(IntVector.broadcast(I, sums[2 * block + 1]).reinterpretAsShorts())
              .mul((short) -8);
      ShortVector sumb = suma;
      for (int word = 0; word < WORDS; word++) {
        long from = at + 4L * (L + word * ROWS);
        int pair = block * 16 + word * 4;
        IntVector wa = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
        IntVector wb = IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN);
        ShortVector q0a = wa.and(0x000F000F).reinterpretAsShorts();
        ShortVector q0b = wb.and(0x000F000F).reinterpretAsShorts();
        ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
        suma = suma.add(q0a.mul(p0));
        sumb = sumb.add(q0b.mul(p0));
        ShortVector q1a =
            wa.lanewise(VectorOperators.LSHR, 4).and(0x000F000F).reinterpretAsShorts();
        ShortVector q1b =
            wb.lanewise(VectorOperators.LSHR, 4).and(0x000F000F).reinterpretAsShorts();
        ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
        suma = suma.add(q1a.mul(p1));
        sumb = sumb.add(q1b.mul(p1));
        ShortVector q2a =
            wa.lanewise(VectorOperators.LSHR, 8).and(0x000F000F).reinterpretAsShorts();
        ShortVector q2b =
            wb.lanewise(VectorOperators.LSHR, 8).and(0x000F000F).reinterpretAsShorts();
        ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
        suma = suma.add(q2a.mul(p2));
        sumb = sumb.add(q2b.mul(p2));
        ShortVector q3a =
            wa.lanewise(VectorOperators.LSHR, 12).and(0x000F000F).reinterpretAsShorts();
        ShortVector q3b =
            wb.lanewise(VectorOperators.LSHR, 12).and(0x000F000F).reinterpretAsShorts();
        ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
        suma = suma.add(q3a.mul(p3));
        sumb = sumb.add(q3b.mul(p3));
      }
      ((FloatVector)
              suma.reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(suma.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(da.mul(scale[block]), FloatVector.fromArray(F, out, 0))
          .intoArray(out, 0);
      ((FloatVector)
              sumb.reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(sumb.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(db.mul(scale[block]), FloatVector.fromArray(F, out, L))
          .intoArray(out, L);
      at += 4L * (L + WORDS * ROWS);
    }
  }

  @Override
  void decode(MemorySegment w, long offset, int blocks, float[] panel, int panelOffset) {
    for (int block = 0; block < blocks; block++) {
      int to = panelOffset + block * 32 * ROWS;
      decodeHalf(w, offset + block * blockBytes(), panel, to, 0);
      decodeHalf(w, offset + block * blockBytes(), panel, to, L);
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
    for (int word = 0; word < WORDS; word++) {
      IntVector q =
          IntVector.fromMemorySegment(I, w, at + 4L * (L + word * ROWS + lane), LITTLE_ENDIAN);
      int to = panelOffset + word * 8 * ROWS + lane;
      for (int i = 0; i < 8; i += 2) {
        ((FloatVector) q.and(15).sub(8).convertShape(VectorOperators.I2F, F, 0))
            .mul(d)
            .intoArray(panel, to + i * ROWS);
        ((FloatVector)
                q.lanewise(VectorOperators.LSHR, 16)
                    .and(15)
                    .sub(8)
                    .convertShape(VectorOperators.I2F, F, 0))
            .mul(d)
            .intoArray(panel, to + (i + 1) * ROWS);
        q = q.lanewise(VectorOperators.LSHR, 4);
      }
    }
  }
}
