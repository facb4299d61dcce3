package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax, norms and RoPE on the Vector API. A row passes through heap memory that is padded to
 * whole vectors with values that change no result.
 */
final class VectorRows {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;

  private static final class Scratch {
    final float[] lanes = new float[L];
    float[] row = new float[0];
    float[] weight = new float[0];
    float[] bias = new float[0];

    void reserve(int columns) {
      if (row.length < columns + L) {
        row = new float[columns + L];
        weight = new float[columns + L];
        bias = new float[columns + L];
      }
    }
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private VectorRows() {}

  private static Scratch scratch(Matrix in) {
    Scratch scratch = SCRATCH.get();
    scratch.reserve((int) in.columns());
    return scratch;
  }

  private static void load(Matrix from, long row, float[] to, float padding) {
    int columns = (int) from.columns();
    MemorySegment.copy(from.segment(), JAVA_FLOAT_UNALIGNED, from.rowOffset(row), to, 0, columns);
    Arrays.fill(to, columns, columns + L, padding);
  }

  private static void store(float[] from, Matrix to, long row) {
    MemorySegment.copy(
        from, 0, to.segment(), JAVA_FLOAT_UNALIGNED, to.rowOffset(row), (int) to.columns());
  }

  static void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    Scratch scratch = scratch(in);
    float[] x = scratch.row;
    float[] lanes = scratch.lanes;
    int columns = (int) in.columns();
    for (long row = rowBegin; row < rowEnd; row++) {
      load(in, row, x, Float.NEGATIVE_INFINITY);
      float sum = exponentials(x, columns, max(x, columns), lanes);
      multiply(x, columns, 1 / sum);
      store(x, out, row);
    }
  }

  private static float max(float[] x, int length) {
    FloatVector max = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < length; i += L) {
      max = max.max(FloatVector.fromArray(S, x, i));
    }
    return max.reduceLanes(VectorOperators.MAX); // NaN stays
  }

  /** Replaces x by exp(x − max) and returns the sum. */
  private static float exponentials(float[] x, int length, float max, float[] lanes) {
    FloatVector sum = FloatVector.zero(S);
    for (int i = 0; i < length; i += L) {
      FloatVector e = VectorFunctions.exp(FloatVector.fromArray(S, x, i).sub(max));
      sum = sum.add(e);
      e.intoArray(x, i);
    }
    sum.intoArray(lanes, 0);
    return VectorTile.sum(lanes, 0);
  }

  private static void multiply(float[] x, int length, float factor) {
    for (int i = 0; i < length; i += L) {
      FloatVector.fromArray(S, x, i).mul(factor).intoArray(x, i);
    }
  }

  static void layerNorm(
      Matrix in,
      Matrix weight,
      Matrix bias,
      float epsilon,
      Matrix out,
      long rowBegin,
      long rowEnd) {
    Scratch scratch = scratch(in);
    float[] x = scratch.row;
    int columns = (int) in.columns();
    load(weight, 0, scratch.weight, 0);
    load(bias, 0, scratch.bias, 0);
    for (long row = rowBegin; row < rowEnd; row++) {
      load(in, row, x, 0);
      float mean = sum(x, columns, scratch.lanes) / columns;
      Arrays.fill(x, columns, columns + L, mean);
      subtract(x, columns, mean);
      float factor =
          (float) (1 / Math.sqrt((double) squares(x, columns, scratch.lanes) / columns + epsilon));
      for (int i = 0; i < columns; i += L) {
        FloatVector.fromArray(S, x, i)
            .mul(factor)
            .fma(
                FloatVector.fromArray(S, scratch.weight, i),
                FloatVector.fromArray(S, scratch.bias, i))
            .intoArray(x, i);
      }
      store(x, out, row);
    }
  }

  static void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    Scratch scratch = scratch(in);
    float[] x = scratch.row;
    int columns = (int) in.columns();
    load(weight, 0, scratch.weight, 0);
    for (long row = rowBegin; row < rowEnd; row++) {
      load(in, row, x, 0);
      float factor =
          (float) (1 / Math.sqrt((double) squares(x, columns, scratch.lanes) / columns + epsilon));
      for (int i = 0; i < columns; i += L) {
        FloatVector.fromArray(S, x, i)
            .mul(factor)
            .mul(FloatVector.fromArray(S, scratch.weight, i))
            .intoArray(x, i);
      }
      store(x, out, row);
    }
  }

  private static float sum(float[] x, int length, float[] lanes) {
    FloatVector sum = FloatVector.zero(S);
    for (int i = 0; i < length; i += L) {
      sum = sum.add(FloatVector.fromArray(S, x, i));
    }
    sum.intoArray(lanes, 0);
    return VectorTile.sum(lanes, 0);
  }

  private static float squares(float[] x, int length, float[] lanes) {
    FloatVector sum = FloatVector.zero(S);
    for (int i = 0; i < length; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      sum = v.fma(v, sum);
    }
    sum.intoArray(lanes, 0);
    return VectorTile.sum(lanes, 0);
  }

  private static void subtract(float[] x, int length, float value) {
    for (int i = 0; i < length; i += L) {
      FloatVector.fromArray(S, x, i).sub(value).intoArray(x, i);
    }
  }

  /** Rotates whole vectors of halves; adjacent pairs and odd sizes are left to plain Java. */
  static void rope(
      RopePairing pairing,
      MemorySegment x,
      long xOffset,
      long heads,
      long headDim,
      long rotaryDim,
      MemorySegment table,
      long tableOffset) {
    long pairs = rotaryDim / 2;
    if (pairing == RopePairing.ADJACENT || pairs % L != 0) {
      ScalarOps.rope(pairing, x, xOffset, heads, headDim, rotaryDim, table, tableOffset);
      return;
    }
    for (long head = 0; head < heads; head++) {
      ropeHalves(x, xOffset + 4 * head * headDim, (int) pairs, table, tableOffset);
    }
  }

  private static void ropeHalves(
      MemorySegment x, long offset, int pairs, MemorySegment table, long tableOffset) {
    x = OffHeap.of(x);
    table = OffHeap.of(table);
    for (int i = 0; i < pairs; i += L) {
      long aOffset = offset + 4L * i;
      long bOffset = offset + 4L * (pairs + i);
      FloatVector cos =
          FloatVector.fromMemorySegment(S, table, tableOffset + 4L * i, LITTLE_ENDIAN);
      FloatVector sin =
          FloatVector.fromMemorySegment(S, table, tableOffset + 4L * (pairs + i), LITTLE_ENDIAN);
      FloatVector a = FloatVector.fromMemorySegment(S, x, aOffset, LITTLE_ENDIAN);
      FloatVector b = FloatVector.fromMemorySegment(S, x, bOffset, LITTLE_ENDIAN);
      a.mul(cos).sub(b.mul(sin)).intoMemorySegment(x, aOffset, LITTLE_ENDIAN);
      a.mul(sin).add(b.mul(cos)).intoMemorySegment(x, bOffset, LITTLE_ENDIAN);
    }
  }
}
