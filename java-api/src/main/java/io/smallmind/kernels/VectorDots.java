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
 * One row of activations times a chunk of packed weights, read on the way: 16-bit products of pairs
 * of columns, summed up in 16 bits as long as the final sum must fit; on the way there, sums wrap
 * around without harm.
 *
 * <p>C2 decides how these loops look. Each method works on a whole chunk by itself: it is called
 * often enough to be compiled early, is small enough to be compiled well, and no vector crosses a
 * call, where it would become an object. A loop's body is a straight line over 16 columns, of bytes
 * 8 so that memory is read roughly in its order: loops inside would run too few times to pay for
 * their entry. For the same reason loops run until they meet their end ({@code !=}) by steps of
 * bytes: of one that counts, C2 makes several, with checks of bounds moved out of the innermost,
 * and of 16 rounds half are spent on the way there. The lines that repeat can't be methods: C2
 * stops inlining those when a method has grown, and then vectors cross calls.
 *
 * <p>Sums of nibbles and six bits go through memory: carried in registers from round to round, C2
 * made objects of them in one process of five. That memory is off the heap, where vectors lie at
 * multiples of their length: in an array, which lies at a multiple of 8 bytes, one may cross a
 * page, and a round then takes a third (six bits) to two thirds (nibbles) longer, to load what was
 * just stored. Sums of bytes would lose a tenth of their speed in memory, and stay in registers.
 *
 * <p>Vectors of weights lie at a distance that C2 must not know ({@link VectorLanes#next}): it then
 * computes the address of each, which keeps their loads some operations apart. The processor of
 * Intel's that was measured fetches ahead little of what is loaded in pairs of neighbouring lines.
 */
final class VectorDots {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  private VectorDots() {}

  /**
   * Adds the products of a chunk to sums.
   *
   * @param at of the integers, in bytes
   * @param column first of the chunk
   * @param columns its length
   * @param out (ROWS) F32 sums, off the heap at a multiple of a vector's length
   */
  static void add(
      VectorFormat format,
      MemorySegment w,
      long at,
      VectorActivations x,
      int column,
      int columns,
      VectorScales scales,
      MemorySegment out) {
    int half = column / 16;
    int halves = columns / 16;
    int share = format.groupLength / 32; // as a shift: how many halves share a scale
    long next = VectorLanes.next;
    if (format.hasMinimums) {
      subtractMinimums(x.negativeSums, half >> share, halves >> share, scales.minimum, out);
    }
    switch (format.bits) {
      case NIBBLES -> nibbles(w, at, x, half, halves, scales.scale, share, next, out);
      case SIX -> six(w, at, x, half, halves, scales.scale, share, next, out);
      case BYTES -> bytes(w, at, x, half, halves, scales.scale, share, next, out);
    }
  }

  private static void subtractMinimums(
      float[] negativeSums, int first, int groups, float[] minimum, MemorySegment out) {
    out = OffHeap.of(out);
    FloatVector a = FloatVector.fromMemorySegment(F, out, 0, LITTLE_ENDIAN);
    FloatVector b = FloatVector.fromMemorySegment(F, out, 4L * L, LITTLE_ENDIAN);
    for (int i = 0; i < groups; i++) {
      FloatVector sum = FloatVector.broadcast(F, negativeSums[first + i]);
      a = sum.fma(FloatVector.fromArray(F, minimum, i * ROWS), a);
      b = sum.fma(FloatVector.fromArray(F, minimum, i * ROWS + L), b);
    }
    a.intoMemorySegment(out, 0, LITTLE_ENDIAN);
    b.intoMemorySegment(out, 4L * L, LITTLE_ENDIAN);
  }

  /**
   * Products of 15 · 127 fit 16 bits in sums of 16. Nibbles are not taken off those above them, nor
   * off those of the word's other half: these are multiplied away, see {@link
   * VectorActivations#nibbles}.
   */
  private static void nibbles(
      MemorySegment w,
      long at,
      VectorActivations x,
      int half,
      int halves,
      float[] scale,
      int share,
      long next,
      MemorySegment out) {
    w = OffHeap.of(w);
    out = OffHeap.of(out);
    int[] pairs = x.nibbles;
    int i = 0;
    long end = at + 8L * ROWS * halves;
    for (long from = at; from != end; from += 8L * ROWS) {
      ShortVector suma = IntVector.broadcast(I, x.starts[half + i]).reinterpretAsShorts();
      ShortVector sumb = suma;
      int pair = (half + i) * 8;
      IntVector w0a = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, from + next, LITTLE_ENDIAN);
      ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
      suma = suma.add(w0a.reinterpretAsShorts().mul(p0));
      sumb = sumb.add(w0b.reinterpretAsShorts().mul(p0));
      ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
      IntVector q1a = w0a.lanewise(VectorOperators.LSHR, 4);
      IntVector q1b = w0b.lanewise(VectorOperators.LSHR, 4);
      suma = suma.add(q1a.reinterpretAsShorts().mul(p1));
      sumb = sumb.add(q1b.reinterpretAsShorts().mul(p1));
      ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
      IntVector q2a = w0a.lanewise(VectorOperators.LSHR, 8);
      IntVector q2b = w0b.lanewise(VectorOperators.LSHR, 8);
      suma = suma.add(q2a.reinterpretAsShorts().mul(p2));
      sumb = sumb.add(q2b.reinterpretAsShorts().mul(p2));
      ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
      IntVector q3a = w0a.lanewise(VectorOperators.LSHR, 12);
      IntVector q3b = w0b.lanewise(VectorOperators.LSHR, 12);
      suma = suma.add(q3a.reinterpretAsShorts().mul(p3));
      sumb = sumb.add(q3b.reinterpretAsShorts().mul(p3));
      IntVector w1a = IntVector.fromMemorySegment(I, w, from + 2 * next, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, from + 3 * next, LITTLE_ENDIAN);
      ShortVector p4 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
      suma = suma.add(w1a.reinterpretAsShorts().mul(p4));
      sumb = sumb.add(w1b.reinterpretAsShorts().mul(p4));
      ShortVector p5 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
      IntVector q5a = w1a.lanewise(VectorOperators.LSHR, 4);
      IntVector q5b = w1b.lanewise(VectorOperators.LSHR, 4);
      suma = suma.add(q5a.reinterpretAsShorts().mul(p5));
      sumb = sumb.add(q5b.reinterpretAsShorts().mul(p5));
      ShortVector p6 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
      IntVector q6a = w1a.lanewise(VectorOperators.LSHR, 8);
      IntVector q6b = w1b.lanewise(VectorOperators.LSHR, 8);
      suma = suma.add(q6a.reinterpretAsShorts().mul(p6));
      sumb = sumb.add(q6b.reinterpretAsShorts().mul(p6));
      ShortVector p7 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
      IntVector q7a = w1a.lanewise(VectorOperators.LSHR, 12);
      IntVector q7b = w1b.lanewise(VectorOperators.LSHR, 12);
      suma = suma.add(q7a.reinterpretAsShorts().mul(p7));
      sumb = sumb.add(q7b.reinterpretAsShorts().mul(p7));
      IntVector botha = suma.reinterpretAsInts();
      IntVector bothb = sumb.reinterpretAsInts();
      IntVector totala =
          botha.add(botha.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      IntVector totalb =
          bothb.add(bothb.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      float d = x.scale[(half + i) / 2];
      int group = (i >> share) * ROWS;
      ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
          .fma(
              FloatVector.fromArray(F, scale, group).mul(d),
              FloatVector.fromMemorySegment(F, out, 0, LITTLE_ENDIAN))
          .intoMemorySegment(out, 0, LITTLE_ENDIAN);
      ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
          .fma(
              FloatVector.fromArray(F, scale, group + L).mul(d),
              FloatVector.fromMemorySegment(F, out, 4L * L, LITTLE_ENDIAN))
          .intoMemorySegment(out, 4L * L, LITTLE_ENDIAN);
      i++;
    }
  }

  /** Products of 32 · 127, or 31 · 127 without offset, fit 16 bits in sums of 8 pairs. */
  private static void six(
      MemorySegment w,
      long at,
      VectorActivations x,
      int half,
      int halves,
      float[] scale,
      int share,
      long next,
      MemorySegment out) {
    w = OffHeap.of(w);
    out = OffHeap.of(out);
    int[] pairs = x.pairs;
    int i = 0;
    long end = at + 12L * ROWS * halves;
    for (long from = at; from != end; from += 12L * ROWS) {
      ShortVector suma = IntVector.broadcast(I, x.starts[half + i]).reinterpretAsShorts();
      ShortVector sumb = suma;
      int pair = (half + i) * 8;
      IntVector w0a = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, from + next, LITTLE_ENDIAN);
      ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
      IntVector q0a = w0a.and(0x003F003F);
      IntVector q0b = w0b.and(0x003F003F);
      suma = suma.add(q0a.reinterpretAsShorts().mul(p0));
      sumb = sumb.add(q0b.reinterpretAsShorts().mul(p0));
      ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
      IntVector q1a = w0a.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      IntVector q1b = w0b.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      suma = suma.add(q1a.reinterpretAsShorts().mul(p1));
      sumb = sumb.add(q1b.reinterpretAsShorts().mul(p1));
      IntVector w1a = IntVector.fromMemorySegment(I, w, from + 2 * next, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, from + 3 * next, LITTLE_ENDIAN);
      ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
      IntVector q2a = w1a.and(0x003F003F);
      IntVector q2b = w1b.and(0x003F003F);
      suma = suma.add(q2a.reinterpretAsShorts().mul(p2));
      sumb = sumb.add(q2b.reinterpretAsShorts().mul(p2));
      ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
      IntVector q3a = w1a.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      IntVector q3b = w1b.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      suma = suma.add(q3a.reinterpretAsShorts().mul(p3));
      sumb = sumb.add(q3b.reinterpretAsShorts().mul(p3));
      IntVector w2a = IntVector.fromMemorySegment(I, w, from + 4 * next, LITTLE_ENDIAN);
      IntVector w2b = IntVector.fromMemorySegment(I, w, from + 5 * next, LITTLE_ENDIAN);
      ShortVector p4 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
      IntVector q4a = w2a.and(0x003F003F);
      IntVector q4b = w2b.and(0x003F003F);
      suma = suma.add(q4a.reinterpretAsShorts().mul(p4));
      sumb = sumb.add(q4b.reinterpretAsShorts().mul(p4));
      ShortVector p5 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
      IntVector q5a = w2a.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      IntVector q5b = w2b.lanewise(VectorOperators.LSHR, 6).and(0x003F003F);
      suma = suma.add(q5a.reinterpretAsShorts().mul(p5));
      sumb = sumb.add(q5b.reinterpretAsShorts().mul(p5));
      ShortVector p6 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
      IntVector q6a =
          w0a.lanewise(VectorOperators.LSHR, 12)
              .and(0x000F000F)
              .or(w2a.lanewise(VectorOperators.LSHR, 8).and(0x00300030));
      IntVector q6b =
          w0b.lanewise(VectorOperators.LSHR, 12)
              .and(0x000F000F)
              .or(w2b.lanewise(VectorOperators.LSHR, 8).and(0x00300030));
      suma = suma.add(q6a.reinterpretAsShorts().mul(p6));
      sumb = sumb.add(q6b.reinterpretAsShorts().mul(p6));
      ShortVector p7 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
      IntVector q7a =
          w1a.lanewise(VectorOperators.LSHR, 12)
              .and(0x000F000F)
              .or(w2a.lanewise(VectorOperators.LSHR, 10).and(0x00300030));
      IntVector q7b =
          w1b.lanewise(VectorOperators.LSHR, 12)
              .and(0x000F000F)
              .or(w2b.lanewise(VectorOperators.LSHR, 10).and(0x00300030));
      suma = suma.add(q7a.reinterpretAsShorts().mul(p7));
      sumb = sumb.add(q7b.reinterpretAsShorts().mul(p7));
      IntVector botha = suma.reinterpretAsInts();
      IntVector bothb = sumb.reinterpretAsInts();
      IntVector totala =
          botha
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(botha.lanewise(VectorOperators.ASHR, 16));
      IntVector totalb =
          bothb
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(bothb.lanewise(VectorOperators.ASHR, 16));
      float d = x.scale[(half + i) / 2];
      int group = (i >> share) * ROWS;
      ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
          .fma(
              FloatVector.fromArray(F, scale, group).mul(d),
              FloatVector.fromMemorySegment(F, out, 0, LITTLE_ENDIAN))
          .intoMemorySegment(out, 0, LITTLE_ENDIAN);
      ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
          .fma(
              FloatVector.fromArray(F, scale, group + L).mul(d),
              FloatVector.fromMemorySegment(F, out, 4L * L, LITTLE_ENDIAN))
          .intoMemorySegment(out, 4L * L, LITTLE_ENDIAN);
      i++;
    }
  }

  /**
   * Products of 128 · 127 fit 16 bits in sums of two pairs. Upper bytes are not taken off the lower
   * ones: a word of 256 · h + l times p, plus h times what is left of its own pair's q less 256 ·
   * p, is the sum of both products, as far as 16 bits go. Of the sums of even columns, which begin
   * with 2^15 so that they have no sign, and odd ones both at once are added, and the latter again.
   */
  private static void bytes(
      MemorySegment w,
      long at,
      VectorActivations x,
      int half,
      int halves,
      float[] scale,
      int share,
      long next,
      MemorySegment out) {
    w = OffHeap.of(w);
    out = OffHeap.of(out);
    int[] lows = x.pairs;
    int[] highs = x.highs;
    int[] starts = x.byteStarts;
    FloatVector outa = FloatVector.fromMemorySegment(F, out, 0, LITTLE_ENDIAN);
    FloatVector outb = FloatVector.fromMemorySegment(F, out, 4L * L, LITTLE_ENDIAN);
    int i = 0;
    long end = at + 16L * ROWS * halves;
    for (long from = at; from != end; from += 8L * ROWS) {
      int pair = half * 8 + 4 * i;
      IntVector w0a = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, from + next, LITTLE_ENDIAN);
      ShortVector low0 = IntVector.broadcast(I, lows[pair]).reinterpretAsShorts();
      ShortVector high0 = IntVector.broadcast(I, highs[pair]).reinterpretAsShorts();
      ShortVector start0 = IntVector.broadcast(I, starts[pair]).reinterpretAsShorts();
      IntVector h0a = w0a.lanewise(VectorOperators.LSHR, 8).and(0x00FF00FF);
      IntVector both0a =
          start0
              .add(w0a.reinterpretAsShorts().mul(low0))
              .add(h0a.reinterpretAsShorts().mul(high0))
              .reinterpretAsInts();
      IntVector h0b = w0b.lanewise(VectorOperators.LSHR, 8).and(0x00FF00FF);
      IntVector both0b =
          start0
              .add(w0b.reinterpretAsShorts().mul(low0))
              .add(h0b.reinterpretAsShorts().mul(high0))
              .reinterpretAsInts();
      IntVector w1a = IntVector.fromMemorySegment(I, w, from + 2 * next, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, from + 3 * next, LITTLE_ENDIAN);
      ShortVector low1 = IntVector.broadcast(I, lows[pair + 2]).reinterpretAsShorts();
      ShortVector high1 = IntVector.broadcast(I, highs[pair + 2]).reinterpretAsShorts();
      ShortVector start1 = IntVector.broadcast(I, starts[pair + 2]).reinterpretAsShorts();
      IntVector h1a = w1a.lanewise(VectorOperators.LSHR, 8).and(0x00FF00FF);
      IntVector both1a =
          start1
              .add(w1a.reinterpretAsShorts().mul(low1))
              .add(h1a.reinterpretAsShorts().mul(high1))
              .reinterpretAsInts();
      IntVector h1b = w1b.lanewise(VectorOperators.LSHR, 8).and(0x00FF00FF);
      IntVector both1b =
          start1
              .add(w1b.reinterpretAsShorts().mul(low1))
              .add(h1b.reinterpretAsShorts().mul(high1))
              .reinterpretAsInts();
      IntVector suma = both0a.add(both1a).sub(2 << 15);
      IntVector odda =
          both0a.lanewise(VectorOperators.ASHR, 16).add(both1a.lanewise(VectorOperators.ASHR, 16));
      IntVector sumb = both0b.add(both1b).sub(2 << 15);
      IntVector oddb =
          both0b.lanewise(VectorOperators.ASHR, 16).add(both1b.lanewise(VectorOperators.ASHR, 16));
      IntVector totala = suma.sub(odda.lanewise(VectorOperators.LSHL, 16)).add(odda);
      IntVector totalb = sumb.sub(oddb.lanewise(VectorOperators.LSHL, 16)).add(oddb);
      float d = x.scale[(2 * half + i) >> 2];
      int group = (i >> share + 1) * ROWS;
      outa =
          ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group).mul(d), outa);
      outb =
          ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group + L).mul(d), outb);
      i++;
    }
    outa.intoMemorySegment(out, 0, LITTLE_ENDIAN);
    outb.intoMemorySegment(out, 4L * L, LITTLE_ENDIAN);
  }
}
