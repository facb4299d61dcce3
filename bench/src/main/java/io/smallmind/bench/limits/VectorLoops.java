package io.smallmind.bench.limits;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops in the Vector API, for machines without the native library. Eight sums hide the latency
 * of a multiply-add; they are variables rather than an array, so that they stay in registers.
 */
final class VectorLoops implements LimitLoops {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
  private static final int SUMS = 8;

  @Override
  public String name() {
    return "Vector API, " + FLOATS.vectorBitSize() + " bits";
  }

  @Override
  public boolean has(LimitKind kind) {
    return kind != LimitKind.INT8_DOT;
  }

  @Override
  public double multiplyAdd(long rounds) {
    FloatVector factor = FloatVector.broadcast(FLOATS, 0.5f);
    FloatVector addend = FloatVector.broadcast(FLOATS, 1f);
    FloatVector s0 = addend;
    FloatVector s1 = addend;
    FloatVector s2 = addend;
    FloatVector s3 = addend;
    FloatVector s4 = addend;
    FloatVector s5 = addend;
    FloatVector s6 = addend;
    FloatVector s7 = addend;
    for (long round = 0; round < rounds; round++) {
      s0 = s0.fma(factor, addend);
      s1 = s1.fma(factor, addend);
      s2 = s2.fma(factor, addend);
      s3 = s3.fma(factor, addend);
      s4 = s4.fma(factor, addend);
      s5 = s5.fma(factor, addend);
      s6 = s6.fma(factor, addend);
      s7 = s7.fma(factor, addend);
    }
    FloatVector sum = s0.add(s1).add(s2.add(s3)).add(s4.add(s5).add(s6.add(s7)));
    double operations = 2.0 * SUMS * FLOATS.length() * rounds;
    // The sums converge to 2 each: using them keeps the loop alive.
    return sum.lane(0) < 0 ? Double.NaN : operations;
  }

  @Override
  public double int8Dot(long rounds) {
    throw new UnsupportedOperationException("the Vector API has no 8-bit dot product");
  }

  @Override
  public long read(MemorySegment memory, long begin, long end) {
    int step = LONGS.vectorByteSize();
    ByteOrder order = ByteOrder.nativeOrder();
    LongVector s0 = LongVector.zero(LONGS);
    LongVector s1 = s0;
    LongVector s2 = s0;
    LongVector s3 = s0;
    for (long at = begin; at < end; at += 4L * step) {
      s0 = s0.add(LongVector.fromMemorySegment(LONGS, memory, at, order));
      s1 = s1.add(LongVector.fromMemorySegment(LONGS, memory, at + step, order));
      s2 = s2.add(LongVector.fromMemorySegment(LONGS, memory, at + 2L * step, order));
      s3 = s3.add(LongVector.fromMemorySegment(LONGS, memory, at + 3L * step, order));
    }
    LongVector sum = s0.add(s1).add(s2.add(s3));
    long checksum = 0;
    for (int lane = 0; lane < LONGS.length(); lane++) {
      checksum += sum.lane(lane);
    }
    return checksum;
  }

  @Override
  public boolean hasPlainLoops() {
    return false;
  }

  @Override
  public void add(
      MemorySegment a,
      MemorySegment b,
      MemorySegment out,
      long begin,
      long end,
      boolean streaming) {
    throw noPlainLoops();
  }

  @Override
  public void relu(MemorySegment in, MemorySegment out, long begin, long end, boolean streaming) {
    throw noPlainLoops();
  }

  private static UnsupportedOperationException noPlainLoops() {
    return new UnsupportedOperationException("only the native library has plain C loops");
  }
}
