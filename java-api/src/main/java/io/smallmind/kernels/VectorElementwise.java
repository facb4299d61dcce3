package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums, products and functions of vectors on the Vector API; the last few values are scalar. */
final class VectorElementwise {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;
  private static final long BYTES = 4L * L;

  private VectorElementwise() {}

  static void binary(
      BinaryOp op,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    a = OffHeap.of(a);
    b = OffHeap.of(b);
    out = OffHeap.of(out);
    long done =
        switch (op) {
          case ADD -> add(a, aOffset, b, bOffset, out, outOffset, length);
          case MULTIPLY -> multiply(a, aOffset, b, bOffset, out, outOffset, length);
        };
    for (long i = 4 * done; i < 4 * length; i += 4) {
      float x = a.get(JAVA_FLOAT_UNALIGNED, aOffset + i);
      float y = b.get(JAVA_FLOAT_UNALIGNED, bOffset + i);
      out.set(JAVA_FLOAT_UNALIGNED, outOffset + i, op == BinaryOp.ADD ? x + y : x * y);
    }
  }

  /** Adds whole vectors and returns how many values that were. */
  private static long add(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    long whole = length / L;
    for (long i = 0; i < whole; i++) {
      FloatVector x = FloatVector.fromMemorySegment(S, a, aOffset + i * BYTES, LITTLE_ENDIAN);
      FloatVector y = FloatVector.fromMemorySegment(S, b, bOffset + i * BYTES, LITTLE_ENDIAN);
      x.add(y).intoMemorySegment(out, outOffset + i * BYTES, LITTLE_ENDIAN);
    }
    return whole * L;
  }

  private static long multiply(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    long whole = length / L;
    for (long i = 0; i < whole; i++) {
      FloatVector x = FloatVector.fromMemorySegment(S, a, aOffset + i * BYTES, LITTLE_ENDIAN);
      FloatVector y = FloatVector.fromMemorySegment(S, b, bOffset + i * BYTES, LITTLE_ENDIAN);
      x.mul(y).intoMemorySegment(out, outOffset + i * BYTES, LITTLE_ENDIAN);
    }
    return whole * L;
  }

  static void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    in = OffHeap.of(in);
    out = OffHeap.of(out);
    long whole = length / L;
    for (long i = 0; i < whole; i++) {
      FloatVector.fromMemorySegment(S, in, inOffset + i * BYTES, LITTLE_ENDIAN)
          .mul(factor)
          .intoMemorySegment(out, outOffset + i * BYTES, LITTLE_ENDIAN);
    }
    for (long i = 4 * whole * L; i < 4 * length; i += 4) {
      float x = in.get(JAVA_FLOAT_UNALIGNED, inOffset + i);
      out.set(JAVA_FLOAT_UNALIGNED, outOffset + i, factor * x);
    }
  }

  static float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    a = OffHeap.of(a);
    b = OffHeap.of(b);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    long bytes = length / L * BYTES;
    long i = 0;
    for (; i + 4 * BYTES <= bytes; i += 4 * BYTES) {
      long ai = aOffset + i;
      long bi = bOffset + i;
      FloatVector a0 = FloatVector.fromMemorySegment(S, a, ai, LITTLE_ENDIAN);
      FloatVector a1 = FloatVector.fromMemorySegment(S, a, ai + BYTES, LITTLE_ENDIAN);
      FloatVector a2 = FloatVector.fromMemorySegment(S, a, ai + 2 * BYTES, LITTLE_ENDIAN);
      FloatVector a3 = FloatVector.fromMemorySegment(S, a, ai + 3 * BYTES, LITTLE_ENDIAN);
      s0 = FloatVector.fromMemorySegment(S, b, bi, LITTLE_ENDIAN).fma(a0, s0);
      s1 = FloatVector.fromMemorySegment(S, b, bi + BYTES, LITTLE_ENDIAN).fma(a1, s1);
      s2 = FloatVector.fromMemorySegment(S, b, bi + 2 * BYTES, LITTLE_ENDIAN).fma(a2, s2);
      s3 = FloatVector.fromMemorySegment(S, b, bi + 3 * BYTES, LITTLE_ENDIAN).fma(a3, s3);
    }
    float[] lanes = VectorTile.ofThread().line;
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    float sum = VectorTile.sum(lanes, 0);
    for (; i < 4 * length; i += 4) {
      sum += a.get(JAVA_FLOAT_UNALIGNED, aOffset + i) * b.get(JAVA_FLOAT_UNALIGNED, bOffset + i);
    }
    return sum;
  }

  /**
   * Applies a function in place to chunks of heap memory, padded to whole vectors: one function
   * then needs one loop, without a scalar twin for the rest.
   */
  static void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    float[] x = VectorTile.ofThread().line;
    for (long i = 0; i < length; i += x.length) {
      int count = (int) Math.min(x.length, length - i);
      MemorySegment.copy(in, JAVA_FLOAT_UNALIGNED, inOffset + 4 * i, x, 0, count);
      switch (op) {
        case RELU -> VectorFunctions.relu(x, count);
        case GELU_TANH -> VectorFunctions.geluTanh(x, count);
        case GELU_ERF -> VectorFunctions.geluErf(x, count);
        case SILU -> VectorFunctions.silu(x, count);
        case SIGMOID -> VectorFunctions.sigmoid(x, count);
        case TANH -> VectorFunctions.tanh(x, count);
      }
      MemorySegment.copy(x, 0, out, JAVA_FLOAT_UNALIGNED, outOffset + 4 * i, count);
    }
  }
}
