package io.smallmind.kernels;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
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
    FloatVector totala = FloatVector.zero(F);
    FloatVector totalb = FloatVector.zero(F);
    long at = offset;
    for (int block = 0; block < blocks; block++) {
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
        suma = suma.add(fold(lowa.mul(p0).add(higha.mul(p1)).reinterpretAsInts()));
        sumb = sumb.add(fold(lowb.mul(p0).add(highb.mul(p1)).reinterpretAsInts()));
      }
      IntVector d = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
      FloatVector da = half(d.and(0xFFFF));
      FloatVector db = half(d.lanewise(VectorOperators.LSHR, 16));
      totala =
          ((FloatVector) suma.convert(VectorOperators.I2F, 0)).fma(da.mul(scale[block]), totala);
      totalb =
          ((FloatVector) sumb.convert(VectorOperators.I2F, 0)).fma(db.mul(scale[block]), totalb);
      at += 4L * (L + WORDS * ROWS);
    }
    totala.intoArray(out, 0);
    totalb.intoArray(out, L);
  }

  @Override
  void multiply(
      VectorActivations x0,
      VectorActivations x1,
      VectorActivations x2,
      VectorActivations x3,
      MemorySegment w,
      long offset,
      int blocks,
      float[] out) {
    int[] pairs0 = x0.pairs;
    float[] scale0 = x0.scale;
    int[] pairs1 = x1.pairs;
    float[] scale1 = x1.scale;
    int[] pairs2 = x2.pairs;
    float[] scale2 = x2.scale;
    int[] pairs3 = x3.pairs;
    float[] scale3 = x3.scale;
    FloatVector total0a = FloatVector.zero(F);
    FloatVector total0b = FloatVector.zero(F);
    FloatVector total1a = FloatVector.zero(F);
    FloatVector total1b = FloatVector.zero(F);
    FloatVector total2a = FloatVector.zero(F);
    FloatVector total2b = FloatVector.zero(F);
    FloatVector total3a = FloatVector.zero(F);
    FloatVector total3b = FloatVector.zero(F);
    long at = offset;
    for (int block = 0; block < blocks; block++) {
      IntVector sum0a = IntVector.zero(I);
      IntVector sum0b = IntVector.zero(I);
      IntVector sum1a = IntVector.zero(I);
      IntVector sum1b = IntVector.zero(I);
      IntVector sum2a = IntVector.zero(I);
      IntVector sum2b = IntVector.zero(I);
      IntVector sum3a = IntVector.zero(I);
      IntVector sum3b = IntVector.zero(I);
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
        ShortVector p00 = IntVector.broadcast(I, pairs0[pair]).reinterpretAsShorts();
        ShortVector p10 = IntVector.broadcast(I, pairs0[pair + 1]).reinterpretAsShorts();
        sum0a = sum0a.add(fold(lowa.mul(p00).add(higha.mul(p10)).reinterpretAsInts()));
        sum0b = sum0b.add(fold(lowb.mul(p00).add(highb.mul(p10)).reinterpretAsInts()));
        ShortVector p01 = IntVector.broadcast(I, pairs1[pair]).reinterpretAsShorts();
        ShortVector p11 = IntVector.broadcast(I, pairs1[pair + 1]).reinterpretAsShorts();
        sum1a = sum1a.add(fold(lowa.mul(p01).add(higha.mul(p11)).reinterpretAsInts()));
        sum1b = sum1b.add(fold(lowb.mul(p01).add(highb.mul(p11)).reinterpretAsInts()));
        ShortVector p02 = IntVector.broadcast(I, pairs2[pair]).reinterpretAsShorts();
        ShortVector p12 = IntVector.broadcast(I, pairs2[pair + 1]).reinterpretAsShorts();
        sum2a = sum2a.add(fold(lowa.mul(p02).add(higha.mul(p12)).reinterpretAsInts()));
        sum2b = sum2b.add(fold(lowb.mul(p02).add(highb.mul(p12)).reinterpretAsInts()));
        ShortVector p03 = IntVector.broadcast(I, pairs3[pair]).reinterpretAsShorts();
        ShortVector p13 = IntVector.broadcast(I, pairs3[pair + 1]).reinterpretAsShorts();
        sum3a = sum3a.add(fold(lowa.mul(p03).add(higha.mul(p13)).reinterpretAsInts()));
        sum3b = sum3b.add(fold(lowb.mul(p03).add(highb.mul(p13)).reinterpretAsInts()));
      }
      IntVector d = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
      FloatVector da = half(d.and(0xFFFF));
      FloatVector db = half(d.lanewise(VectorOperators.LSHR, 16));
      total0a =
          ((FloatVector) sum0a.convert(VectorOperators.I2F, 0)).fma(da.mul(scale0[block]), total0a);
      total0b =
          ((FloatVector) sum0b.convert(VectorOperators.I2F, 0)).fma(db.mul(scale0[block]), total0b);
      total1a =
          ((FloatVector) sum1a.convert(VectorOperators.I2F, 0)).fma(da.mul(scale1[block]), total1a);
      total1b =
          ((FloatVector) sum1b.convert(VectorOperators.I2F, 0)).fma(db.mul(scale1[block]), total1b);
      total2a =
          ((FloatVector) sum2a.convert(VectorOperators.I2F, 0)).fma(da.mul(scale2[block]), total2a);
      total2b =
          ((FloatVector) sum2b.convert(VectorOperators.I2F, 0)).fma(db.mul(scale2[block]), total2b);
      total3a =
          ((FloatVector) sum3a.convert(VectorOperators.I2F, 0)).fma(da.mul(scale3[block]), total3a);
      total3b =
          ((FloatVector) sum3b.convert(VectorOperators.I2F, 0)).fma(db.mul(scale3[block]), total3b);
      at += 4L * (L + WORDS * ROWS);
    }
    total0a.intoArray(out, 0);
    total0b.intoArray(out, L);
    total1a.intoArray(out, ROWS);
    total1b.intoArray(out, ROWS + L);
    total2a.intoArray(out, 2 * ROWS);
    total2b.intoArray(out, 2 * ROWS + L);
    total3a.intoArray(out, 3 * ROWS);
    total3b.intoArray(out, 3 * ROWS + L);
  }

  @Override
  void decode(MemorySegment w, long offset, int blocks, float[] panel, int panelOffset) {
    for (int block = 0; block < blocks; block++) {
      long at = offset + block * blockBytes();
      IntVector d = IntVector.fromMemorySegment(I, w, at, LITTLE_ENDIAN);
      FloatVector da = half(d.and(0xFFFF));
      FloatVector db = half(d.lanewise(VectorOperators.LSHR, 16));
      for (int word = 0; word < WORDS; word++) {
        long from = at + 4L * (L + word * ROWS);
        int to = panelOffset + (block * 32 + word * 4) * ROWS;
        store(IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN), da, panel, to);
        store(IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN), db, panel, to + L);
      }
    }
  }

  private static void store(IntVector w, FloatVector d, float[] panel, int to) {
    store(w, 24, d, panel, to);
    store(w, 8, d, panel, to + ROWS);
    store(w, 16, d, panel, to + 2 * ROWS);
    store(w, 0, d, panel, to + 3 * ROWS);
  }

  private static void store(IntVector w, int left, FloatVector d, float[] panel, int to) {
    IntVector q = w.lanewise(VectorOperators.LSHL, left).lanewise(VectorOperators.ASHR, 24);
    ((FloatVector) q.convert(VectorOperators.I2F, 0)).mul(d).intoArray(panel, to);
  }
}
