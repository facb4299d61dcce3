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
 * Q4_K in lanes: per block a word per row with its two F16 scales, that of the minimums above; then
 * for each group of 32 a word of two rows, 16 bits each, with the group's scale in the lower and
 * its minimum in the upper byte, and four words per row as in {@link VectorQ40}. Memory is read in
 * exactly this order: hardware prefetch gives up on anything else.
 */
final class VectorQ4K extends VectorLanes {
  private static final int GROUPS = 8;
  private static final int WORDS = 4;

  /** Words of a group. */
  private static final int GROUP = L + WORDS * ROWS;

  VectorQ4K() {
    super(TensorType.Q4_K, 2 + GROUPS * (1 + 2 * WORDS));
  }

  @Override
  void packBlock(byte[] stored, int[] lanes, int lane) {
    lanes[lane] = u16(stored, 0) | u16(stored, 2) << 16;
    for (int group = 0; group < GROUPS; group++) {
      int first = ROWS + group * GROUP;
      put16(lanes, first, lane, scale(stored, group) | minimum(stored, group) << 8);
      for (int word = 0; word < WORDS; word++) {
        int bits = 0;
        for (int i = 0; i < 8; i++) {
          int q = stored[16 + group / 2 * 32 + 8 * word + i] >> group % 2 * 4 & 15;
          bits |= q << i / 2 * 4 + i % 2 * 16;
        }
        lanes[first + L + word * ROWS + lane] = bits;
      }
    }
  }

  /** Returns the 6-bit scale of a group: the last four keep their upper bits with the first. */
  private static int scale(byte[] stored, int group) {
    return group < 4
        ? stored[4 + group] & 63
        : stored[8 + group] & 15 | (stored[group] & 0xC0) >> 2;
  }

  private static int minimum(byte[] stored, int group) {
    return group < 4
        ? stored[8 + group] & 63
        : stored[8 + group] >> 4 & 15 | (stored[4 + group] & 0xC0) >> 2;
  }

  @Override
  void multiply(VectorActivations x, MemorySegment w, long offset, int blocks, float[] out) {
    int[] pairs = x.pairs;
    float[] scale = x.scale;
    float[] scaledSum = x.scaledSum;
    Arrays.fill(out, 0, ROWS, 0);
    long at = offset;
    // The scales pass through memory: vectors that a loop changes now and then become objects.
    for (int group = 0; group < blocks * GROUPS; group++) {
      if (group % GROUPS == 0) {
        IntVector da = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
        IntVector db = IntVector.fromMemorySegment(I, w, at + 4L * L, LITTLE_ENDIAN);
        IntVector sah = da;
        IntVector sam = sah.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
        IntVector saf = sam.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
        FloatVector sa =
            saf.blend(sam.or(0x7F800000), saf.compare(VectorOperators.GE, FIRST_INFINITE))
                .or(sah.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
        sa.intoArray(out, 2 * ROWS);
        IntVector mah = da.lanewise(VectorOperators.LSHR, 16);
        IntVector mam = mah.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
        IntVector maf = mam.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
        FloatVector ma =
            maf.blend(mam.or(0x7F800000), maf.compare(VectorOperators.GE, FIRST_INFINITE))
                .or(mah.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
        ma.intoArray(out, 3 * ROWS);
        IntVector sbh = db;
        IntVector sbm = sbh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
        IntVector sbf = sbm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
        FloatVector sb =
            sbf.blend(sbm.or(0x7F800000), sbf.compare(VectorOperators.GE, FIRST_INFINITE))
                .or(sbh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
        sb.intoArray(out, 2 * ROWS + L);
        IntVector mbh = db.lanewise(VectorOperators.LSHR, 16);
        IntVector mbm = mbh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
        IntVector mbf = mbm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
        FloatVector mb =
            mbf.blend(mbm.or(0x7F800000), mbf.compare(VectorOperators.GE, FIRST_INFINITE))
                .or(mbh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
        mb.intoArray(out, 3 * ROWS + L);
        at += 4L * ROWS;
      }
      IntVector parts = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
      ShortVector suma = IntVector.zero(I).reinterpretAsShorts();
      ShortVector sumb = IntVector.zero(I).reinterpretAsShorts();
      for (int word = 0; word < WORDS; word++) {
        long from = at + 4L * (L + word * ROWS);
        int pair = group * 16 + word * 4;
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
      FloatVector scalea =
          ((FloatVector) parts.and(0xFF).convertShape(VectorOperators.I2F, F, 0))
              .mul(FloatVector.fromArray(F, out, 2 * ROWS));
      FloatVector minimuma =
          ((FloatVector)
                  parts
                      .lanewise(VectorOperators.LSHR, 8)
                      .and(0xFF)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(FloatVector.fromArray(F, out, 3 * ROWS));
      FloatVector scaleb =
          ((FloatVector)
                  parts
                      .lanewise(VectorOperators.LSHR, 16)
                      .and(0xFF)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(FloatVector.fromArray(F, out, 2 * ROWS + L));
      FloatVector minimumb =
          ((FloatVector)
                  parts
                      .lanewise(VectorOperators.LSHR, 24)
                      .and(0xFF)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(FloatVector.fromArray(F, out, 3 * ROWS + L));
      ((FloatVector)
              suma.reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(suma.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(
              scalea.mul(scale[group]),
              FloatVector.fromArray(F, out, 0).sub(minimuma.mul(scaledSum[group])))
          .intoArray(out, 0);
      ((FloatVector)
              sumb.reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(sumb.reinterpretAsInts().lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(
              scaleb.mul(scale[group]),
              FloatVector.fromArray(F, out, L).sub(minimumb.mul(scaledSum[group])))
          .intoArray(out, L);
      at += 4L * GROUP;
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
    IntVector d = IntVector.fromMemorySegment(I, w, at + 4L * lane, LITTLE_ENDIAN);
    IntVector sh = d;
    IntVector sm = sh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
    IntVector sf = sm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
    FloatVector s =
        sf.blend(sm.or(0x7F800000), sf.compare(VectorOperators.GE, FIRST_INFINITE))
            .or(sh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
            .reinterpretAsFloats();
    IntVector mh = d.lanewise(VectorOperators.LSHR, 16);
    IntVector mm = mh.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
    IntVector mf = mm.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
    FloatVector m =
        mf.blend(mm.or(0x7F800000), mf.compare(VectorOperators.GE, FIRST_INFINITE))
            .or(mh.and(0x8000).lanewise(VectorOperators.LSHL, 16))
            .reinterpretAsFloats();
    for (int group = 0; group < GROUPS; group++) {
      long first = at + 4L * (ROWS + group * GROUP);
      int shift = lane == 0 ? 0 : 16;
      IntVector parts = IntVector.fromMemorySegment(I, w, first, LITTLE_ENDIAN);
      FloatVector scale =
          ((FloatVector)
                  parts
                      .lanewise(VectorOperators.LSHR, shift)
                      .and(0xFF)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(s);
      FloatVector minimum =
          ((FloatVector)
                  parts
                      .lanewise(VectorOperators.LSHR, shift + 8)
                      .and(0xFF)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(m);
      for (int word = 0; word < WORDS; word++) {
        IntVector bits =
            IntVector.fromMemorySegment(I, w, first + 4L * (L + word * ROWS + lane), LITTLE_ENDIAN);
        int to = panelOffset + (group * 32 + word * 8) * ROWS + lane;
        for (int i = 0; i < 8; i += 2) {
          ((FloatVector) bits.and(15).convertShape(VectorOperators.I2F, F, 0))
              .mul(scale)
              .sub(minimum)
              .intoArray(panel, to + i * ROWS);
          ((FloatVector)
                  bits.lanewise(VectorOperators.LSHR, 16)
                      .and(15)
                      .convertShape(VectorOperators.I2F, F, 0))
              .mul(scale)
              .sub(minimum)
              .intoArray(panel, to + (i + 1) * ROWS);
          bits = bits.lanewise(VectorOperators.LSHR, 4);
        }
      }
    }
  }
}
