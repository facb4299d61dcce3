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
 * call, where it would become an object. A loop's body is a straight line over 16 columns: loops
 * inside would run too few times to pay for their entry. The lines that repeat can't be methods: C2
 * stops inlining those when a method has grown, and then vectors cross calls.
 */
final class VectorDots {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final VectorSpecies<Short> S = ShortVector.SPECIES_PREFERRED;
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  private VectorDots() {}

  /**
   * Adds the products of a chunk to sums.
   *
   * @param at of the integers, in bytes
   * @param column first of the chunk
   * @param columns its length
   * @param out (ROWS) sums
   */
  static void add(
      VectorFormat format,
      MemorySegment w,
      long at,
      VectorActivations x,
      int column,
      int columns,
      VectorScales scales,
      float[] out) {
    int half = column / 16;
    int halves = columns / 16;
    int share = format.groupLength / 32; // as a shift: how many halves share a scale
    if (format.hasMinimums) {
      subtractMinimums(x, half, halves, share, scales.minimum, out);
    }
    switch (format.bits) {
      case NIBBLES -> nibbles(w, at, x, half, halves, scales.scale, share, out);
      case SIX -> six(w, at, x, half, halves, scales.scale, share, out);
      case BYTES -> bytes(w, at, x, half, halves, scales.scale, share, out);
    }
  }

  private static void subtractMinimums(
      VectorActivations x, int half, int halves, int share, float[] minimum, float[] out) {
    float[] sums = x.scaledSums;
    FloatVector a = FloatVector.fromArray(F, out, 0);
    FloatVector b = FloatVector.fromArray(F, out, L);
    for (int i = 0; i < halves; i++) {
      FloatVector sum = FloatVector.broadcast(F, -sums[half + i]);
      a = FloatVector.fromArray(F, minimum, (i >> share) * ROWS).fma(sum, a);
      b = FloatVector.fromArray(F, minimum, (i >> share) * ROWS + L).fma(sum, b);
    }
    a.intoArray(out, 0);
    b.intoArray(out, L);
  }

  /** Products of 15 · 127 fit 16 bits in sums of 8 pairs. */
  private static void nibbles(
      MemorySegment w,
      long at,
      VectorActivations x,
      int half,
      int halves,
      float[] scale,
      int share,
      float[] out) {
    w = OffHeap.of(w);
    int[] pairs = x.pairs;
    FloatVector outa = FloatVector.fromArray(F, out, 0);
    FloatVector outb = FloatVector.fromArray(F, out, L);
    for (int i = 0; i < halves; i++) {
      long from = at + 8L * ROWS * i;
      ShortVector suma = IntVector.broadcast(I, x.starts[half + i]).reinterpretAsShorts();
      ShortVector sumb = suma;
      int pair = (half + i) * 8;
      IntVector w0a = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN);
      ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
      IntVector q0a = w0a.and(0x000F000F);
      IntVector q0b = w0b.and(0x000F000F);
      suma = suma.add(q0a.reinterpretAsShorts().mul(p0));
      sumb = sumb.add(q0b.reinterpretAsShorts().mul(p0));
      ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
      IntVector q1a = w0a.lanewise(VectorOperators.LSHR, 4).and(0x000F000F);
      IntVector q1b = w0b.lanewise(VectorOperators.LSHR, 4).and(0x000F000F);
      suma = suma.add(q1a.reinterpretAsShorts().mul(p1));
      sumb = sumb.add(q1b.reinterpretAsShorts().mul(p1));
      ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
      IntVector q2a = w0a.lanewise(VectorOperators.LSHR, 8).and(0x000F000F);
      IntVector q2b = w0b.lanewise(VectorOperators.LSHR, 8).and(0x000F000F);
      suma = suma.add(q2a.reinterpretAsShorts().mul(p2));
      sumb = sumb.add(q2b.reinterpretAsShorts().mul(p2));
      ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
      IntVector q3a = w0a.lanewise(VectorOperators.LSHR, 12).and(0x000F000F);
      IntVector q3b = w0b.lanewise(VectorOperators.LSHR, 12).and(0x000F000F);
      suma = suma.add(q3a.reinterpretAsShorts().mul(p3));
      sumb = sumb.add(q3b.reinterpretAsShorts().mul(p3));
      IntVector w1a = IntVector.fromMemorySegment(I, w, from + 8L * L, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, from + 12L * L, LITTLE_ENDIAN);
      ShortVector p4 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
      IntVector q4a = w1a.and(0x000F000F);
      IntVector q4b = w1b.and(0x000F000F);
      suma = suma.add(q4a.reinterpretAsShorts().mul(p4));
      sumb = sumb.add(q4b.reinterpretAsShorts().mul(p4));
      ShortVector p5 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
      IntVector q5a = w1a.lanewise(VectorOperators.LSHR, 4).and(0x000F000F);
      IntVector q5b = w1b.lanewise(VectorOperators.LSHR, 4).and(0x000F000F);
      suma = suma.add(q5a.reinterpretAsShorts().mul(p5));
      sumb = sumb.add(q5b.reinterpretAsShorts().mul(p5));
      ShortVector p6 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
      IntVector q6a = w1a.lanewise(VectorOperators.LSHR, 8).and(0x000F000F);
      IntVector q6b = w1b.lanewise(VectorOperators.LSHR, 8).and(0x000F000F);
      suma = suma.add(q6a.reinterpretAsShorts().mul(p6));
      sumb = sumb.add(q6b.reinterpretAsShorts().mul(p6));
      ShortVector p7 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
      IntVector q7a = w1a.lanewise(VectorOperators.LSHR, 12).and(0x000F000F);
      IntVector q7b = w1b.lanewise(VectorOperators.LSHR, 12).and(0x000F000F);
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
      outa =
          ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group).mul(d), outa);
      outb =
          ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group + L).mul(d), outb);
    }
    outa.intoArray(out, 0);
    outb.intoArray(out, L);
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
      float[] out) {
    w = OffHeap.of(w);
    int[] pairs = x.pairs;
    FloatVector outa = FloatVector.fromArray(F, out, 0);
    FloatVector outb = FloatVector.fromArray(F, out, L);
    for (int i = 0; i < halves; i++) {
      long from = at + 12L * ROWS * i;
      ShortVector suma = IntVector.broadcast(I, x.starts[half + i]).reinterpretAsShorts();
      ShortVector sumb = suma;
      int pair = (half + i) * 8;
      IntVector w0a = IntVector.fromMemorySegment(I, w, from, LITTLE_ENDIAN);
      IntVector w0b = IntVector.fromMemorySegment(I, w, from + 4L * L, LITTLE_ENDIAN);
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
      IntVector w1a = IntVector.fromMemorySegment(I, w, from + 8L * L, LITTLE_ENDIAN);
      IntVector w1b = IntVector.fromMemorySegment(I, w, from + 12L * L, LITTLE_ENDIAN);
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
      IntVector w2a = IntVector.fromMemorySegment(I, w, from + 16L * L, LITTLE_ENDIAN);
      IntVector w2b = IntVector.fromMemorySegment(I, w, from + 20L * L, LITTLE_ENDIAN);
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
      outa =
          ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group).mul(d), outa);
      outb =
          ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group + L).mul(d), outb);
    }
    outa.intoArray(out, 0);
    outb.intoArray(out, L);
  }

  /** Products of 128 · 127 fit 16 bits in sums of two pairs. */
  private static void bytes(
      MemorySegment w,
      long at,
      VectorActivations x,
      int half,
      int halves,
      float[] scale,
      int share,
      float[] out) {
    w = OffHeap.of(w);
    int[] pairs = x.pairs;
    FloatVector outa = FloatVector.fromArray(F, out, 0);
    FloatVector outb = FloatVector.fromArray(F, out, L);
    for (int i = 0; i < halves; i++) {
      long from = at + 16L * ROWS * i;
      int pair = (half + i) * 8;
      IntVector totala = IntVector.zero(I);
      IntVector totalb = totala;
      ShortVector w0a = ShortVector.fromMemorySegment(S, w, from, LITTLE_ENDIAN);
      ShortVector w0b = ShortVector.fromMemorySegment(S, w, from + 4L * L, LITTLE_ENDIAN);
      ShortVector p0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
      ShortVector p1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
      ShortVector low0a = w0a.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high0a = w0a.lanewise(VectorOperators.ASHR, 8);
      IntVector both0a = low0a.mul(p0).add(high0a.mul(p1)).reinterpretAsInts();
      totala =
          totala
              .add(both0a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both0a.lanewise(VectorOperators.ASHR, 16));
      ShortVector low0b = w0b.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high0b = w0b.lanewise(VectorOperators.ASHR, 8);
      IntVector both0b = low0b.mul(p0).add(high0b.mul(p1)).reinterpretAsInts();
      totalb =
          totalb
              .add(both0b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both0b.lanewise(VectorOperators.ASHR, 16));
      ShortVector w1a = ShortVector.fromMemorySegment(S, w, from + 8L * L, LITTLE_ENDIAN);
      ShortVector w1b = ShortVector.fromMemorySegment(S, w, from + 12L * L, LITTLE_ENDIAN);
      ShortVector p2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
      ShortVector p3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
      ShortVector low1a = w1a.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high1a = w1a.lanewise(VectorOperators.ASHR, 8);
      IntVector both1a = low1a.mul(p2).add(high1a.mul(p3)).reinterpretAsInts();
      totala =
          totala
              .add(both1a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both1a.lanewise(VectorOperators.ASHR, 16));
      ShortVector low1b = w1b.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high1b = w1b.lanewise(VectorOperators.ASHR, 8);
      IntVector both1b = low1b.mul(p2).add(high1b.mul(p3)).reinterpretAsInts();
      totalb =
          totalb
              .add(both1b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both1b.lanewise(VectorOperators.ASHR, 16));
      ShortVector w2a = ShortVector.fromMemorySegment(S, w, from + 16L * L, LITTLE_ENDIAN);
      ShortVector w2b = ShortVector.fromMemorySegment(S, w, from + 20L * L, LITTLE_ENDIAN);
      ShortVector p4 = IntVector.broadcast(I, pairs[pair + 4]).reinterpretAsShorts();
      ShortVector p5 = IntVector.broadcast(I, pairs[pair + 5]).reinterpretAsShorts();
      ShortVector low2a = w2a.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high2a = w2a.lanewise(VectorOperators.ASHR, 8);
      IntVector both2a = low2a.mul(p4).add(high2a.mul(p5)).reinterpretAsInts();
      totala =
          totala
              .add(both2a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both2a.lanewise(VectorOperators.ASHR, 16));
      ShortVector low2b = w2b.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high2b = w2b.lanewise(VectorOperators.ASHR, 8);
      IntVector both2b = low2b.mul(p4).add(high2b.mul(p5)).reinterpretAsInts();
      totalb =
          totalb
              .add(both2b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both2b.lanewise(VectorOperators.ASHR, 16));
      ShortVector w3a = ShortVector.fromMemorySegment(S, w, from + 24L * L, LITTLE_ENDIAN);
      ShortVector w3b = ShortVector.fromMemorySegment(S, w, from + 28L * L, LITTLE_ENDIAN);
      ShortVector p6 = IntVector.broadcast(I, pairs[pair + 6]).reinterpretAsShorts();
      ShortVector p7 = IntVector.broadcast(I, pairs[pair + 7]).reinterpretAsShorts();
      ShortVector low3a = w3a.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high3a = w3a.lanewise(VectorOperators.ASHR, 8);
      IntVector both3a = low3a.mul(p6).add(high3a.mul(p7)).reinterpretAsInts();
      totala =
          totala
              .add(both3a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both3a.lanewise(VectorOperators.ASHR, 16));
      ShortVector low3b = w3b.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
      ShortVector high3b = w3b.lanewise(VectorOperators.ASHR, 8);
      IntVector both3b = low3b.mul(p6).add(high3b.mul(p7)).reinterpretAsInts();
      totalb =
          totalb
              .add(both3b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .add(both3b.lanewise(VectorOperators.ASHR, 16));
      float d = x.scale[(half + i) / 2];
      int group = (i >> share) * ROWS;
      outa =
          ((FloatVector) totala.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group).mul(d), outa);
      outb =
          ((FloatVector) totalb.convertShape(VectorOperators.I2F, F, 0))
              .fma(FloatVector.fromArray(F, scale, group + L).mul(d), outb);
    }
    outa.intoArray(out, 0);
    outb.intoArray(out, L);
  }
}
