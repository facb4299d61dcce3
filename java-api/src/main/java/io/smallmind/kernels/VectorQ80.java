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
 * Q8_0 in lanes: per block a word of two rows' scales, F16, then eight words per row: the bytes of
 * word w, from the lowest up, are q of the columns 4 w, 4 w + 2, 4 w + 1, 4 w + 3.
 */
final class VectorQ80 extends VectorLanes {
  private static final int WORDS = 8;

  VectorQ80() {
    super(TensorType.Q8_0, 1 + 2 * WORDS);
  }

  @Override
  void packBlock(byte[] stored, int[] lanes, int lane) {
    put16(lanes, 0, lane, u16(stored, 0));
    for (int word = 0; word < WORDS; word++) {
      int q = 2 + 4 * word;
      lanes[L + word * ROWS + lane] =
          stored[q] & 0xFF
              | (stored[q + 2] & 0xFF) << 8
              | (stored[q + 1] & 0xFF) << 16
              | stored[q + 3] << 24;
    }
  }

  @Override
  void multiply(VectorActivations x, MemorySegment w, long offset, int blocks, float[] out) {
    int[] pairs = x.pairs;
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
      IntVector suma = IntVector.zero(I);
      IntVector sumb = IntVector.zero(I);
      for (int word = 0; word < WORDS; word++) {
        long from = at + 4L * (L + word * ROWS);
        int pair = block * 16 + word * 2;
        ShortVector wa =
            IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN).reinterpretAsShorts();
        ShortVector lowa = wa.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
        ShortVector higha = wa.lanewise(VectorOperators.ASHR, 8);
        ShortVector wb =
            IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN).reinterpretAsShorts();
        ShortVector lowb = wb.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
        ShortVector highb = wb.lanewise(VectorOperators.ASHR, 8);
        // Two products of at most 128 · 127 fit 16 bits; more don't.
        ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
        ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
        IntVector botha = lowa.mul(p0).add(higha.mul(p1)).reinterpretAsInts();
        suma =
            suma.add(botha.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(botha.lanewise(VectorOperators.ASHR, 16));
        IntVector bothb = lowb.mul(p0).add(highb.mul(p1)).reinterpretAsInts();
        sumb =
            sumb.add(bothb.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(bothb.lanewise(VectorOperators.ASHR, 16));
      }
      ((FloatVector) suma.convertShape(VectorOperators.I2F, F, 0))
          .fma(da.mul(scale[block]), FloatVector.fromArray(F, out, 0))
          .intoArray(out, 0);
      ((FloatVector) sumb.convertShape(VectorOperators.I2F, F, 0))
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
      int to = panelOffset + word * 4 * ROWS + lane;
      ((FloatVector)
              q.lanewise(VectorOperators.LSHL, 24)
                  .lanewise(VectorOperators.ASHR, 24)
                  .convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to);
      ((FloatVector)
              q.lanewise(VectorOperators.LSHL, 8)
                  .lanewise(VectorOperators.ASHR, 24)
                  .convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to + ROWS);
      ((FloatVector)
              q.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 24)
                  .convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to + 2 * ROWS);
      ((FloatVector) q.lanewise(VectorOperators.ASHR, 24).convertShape(VectorOperators.I2F, F, 0))
          .mul(d)
          .intoArray(panel, to + 3 * ROWS);
    }
  }
}
