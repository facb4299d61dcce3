package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * Everything but the products, in plain Java: functions and sums in double precision, rounded to
 * F32 at the end. Values pass through small heap arrays, which loops run over fastest.
 */
final class ScalarOps {
  /** Values per pass. */
  private static final int CHUNK = 1024;

  private static final class Scratch {
    final float[] a = new float[CHUNK];
    final float[] b = new float[CHUNK];
    final float[] c = new float[CHUNK];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private ScalarOps() {}

  private static int load(MemorySegment from, long offset, long i, long length, float[] to) {
    int count = (int) Math.min(CHUNK, length - i);
    MemorySegment.copy(from, JAVA_FLOAT_UNALIGNED, offset + 4 * i, to, 0, count);
    return count;
  }

  private static void store(float[] from, int count, MemorySegment to, long offset, long i) {
    MemorySegment.copy(from, 0, to, JAVA_FLOAT_UNALIGNED, offset + 4 * i, count);
  }

  // ---- Element by element

  static void binary(
      BinaryOp op,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    Scratch scratch = SCRATCH.get();
    for (long i = 0; i < length; i += CHUNK) {
      int count = load(a, aOffset, i, length, scratch.a);
      load(b, bOffset, i, length, scratch.b);
      switch (op) {
        case ADD -> add(scratch.a, scratch.b, count);
        case MULTIPLY -> multiply(scratch.a, scratch.b, count);
      }
      store(scratch.a, count, out, outOffset, i);
    }
  }

  private static void add(float[] a, float[] b, int count) {
    for (int i = 0; i < count; i++) {
      a[i] += b[i];
    }
  }

  private static void multiply(float[] a, float[] b, int count) {
    for (int i = 0; i < count; i++) {
      a[i] *= b[i];
    }
  }

  static void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    float[] x = SCRATCH.get().a;
    for (long i = 0; i < length; i += CHUNK) {
      int count = load(in, inOffset, i, length, x);
      apply(op, x, count);
      store(x, count, out, outOffset, i);
    }
  }

  private static void apply(UnaryOp op, float[] x, int count) {
    for (int i = 0; i < count; i++) {
      x[i] =
          (float)
              switch (op) {
                case RELU -> ScalarFunctions.relu(x[i]);
                case GELU_TANH -> ScalarFunctions.geluTanh(x[i]);
                case GELU_ERF -> ScalarFunctions.geluErf(x[i]);
                case SILU -> ScalarFunctions.silu(x[i]);
                case SIGMOID -> ScalarFunctions.sigmoid(x[i]);
                case TANH -> Math.tanh(x[i]);
              };
    }
  }

  static void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    float[] x = SCRATCH.get().a;
    for (long i = 0; i < length; i += CHUNK) {
      int count = load(in, inOffset, i, length, x);
      for (int j = 0; j < count; j++) {
        x[j] *= factor;
      }
      store(x, count, out, outOffset, i);
    }
  }

  static float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    Scratch scratch = SCRATCH.get();
    double sum = 0;
    for (long i = 0; i < length; i += CHUNK) {
      int count = load(a, aOffset, i, length, scratch.a);
      load(b, bOffset, i, length, scratch.b);
      for (int j = 0; j < count; j++) {
        sum += (double) scratch.a[j] * scratch.b[j];
      }
    }
    return (float) sum;
  }

  // ---- Row by row

  static void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    float[] x = SCRATCH.get().a;
    long columns = in.columns();
    for (long row = rowBegin; row < rowEnd; row++) {
      float max = Float.NEGATIVE_INFINITY;
      for (long i = 0; i < columns; i += CHUNK) {
        int count = load(in.segment(), in.rowOffset(row), i, columns, x);
        for (int j = 0; j < count; j++) {
          max = Math.max(max, x[j]); // NaN stays
        }
      }
      double sum = 0;
      for (long i = 0; i < columns; i += CHUNK) {
        int count = load(in.segment(), in.rowOffset(row), i, columns, x);
        for (int j = 0; j < count; j++) {
          sum += Math.exp((double) x[j] - max);
        }
      }
      for (long i = 0; i < columns; i += CHUNK) {
        int count = load(in.segment(), in.rowOffset(row), i, columns, x);
        for (int j = 0; j < count; j++) {
          x[j] = (float) (Math.exp((double) x[j] - max) / sum);
        }
        store(x, count, out.segment(), out.rowOffset(row), i);
      }
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
    Scratch scratch = SCRATCH.get();
    float[] x = scratch.a;
    long columns = in.columns();
    for (long row = rowBegin; row < rowEnd; row++) {
      double mean = meanOfPowers(in, row, 0, 1, x);
      double variance = meanOfPowers(in, row, mean, 2, x);
      double factor = 1 / Math.sqrt(variance + epsilon);
      for (long i = 0; i < columns; i += CHUNK) {
        int count = load(in.segment(), in.rowOffset(row), i, columns, x);
        load(weight.segment(), 0, i, columns, scratch.b);
        load(bias.segment(), 0, i, columns, scratch.c);
        for (int j = 0; j < count; j++) {
          x[j] = (float) ((x[j] - mean) * factor * scratch.b[j] + scratch.c[j]);
        }
        store(x, count, out.segment(), out.rowOffset(row), i);
      }
    }
  }

  static void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    Scratch scratch = SCRATCH.get();
    float[] x = scratch.a;
    long columns = in.columns();
    for (long row = rowBegin; row < rowEnd; row++) {
      double factor = 1 / Math.sqrt(meanOfPowers(in, row, 0, 2, x) + epsilon);
      for (long i = 0; i < columns; i += CHUNK) {
        int count = load(in.segment(), in.rowOffset(row), i, columns, x);
        load(weight.segment(), 0, i, columns, scratch.b);
        for (int j = 0; j < count; j++) {
          x[j] = (float) (x[j] * factor * scratch.b[j]);
        }
        store(x, count, out.segment(), out.rowOffset(row), i);
      }
    }
  }

  /** Returns the mean of (x − center) or (x − center)² over a row. */
  private static double meanOfPowers(Matrix in, long row, double center, int power, float[] x) {
    long columns = in.columns();
    double sum = 0;
    for (long i = 0; i < columns; i += CHUNK) {
      int count = load(in.segment(), in.rowOffset(row), i, columns, x);
      for (int j = 0; j < count; j++) {
        double distance = x[j] - center;
        sum += power == 1 ? distance : distance * distance;
      }
    }
    return sum / columns;
  }

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
    boolean adjacent = pairing == RopePairing.ADJACENT;
    for (long head = 0; head < heads; head++) {
      long first = xOffset + 4 * head * headDim;
      for (long i = 0; i < pairs; i++) {
        long aOffset = first + 4 * (adjacent ? 2 * i : i);
        long bOffset = first + 4 * (adjacent ? 2 * i + 1 : i + pairs);
        float cos = table.get(JAVA_FLOAT_UNALIGNED, tableOffset + 4 * i);
        float sin = table.get(JAVA_FLOAT_UNALIGNED, tableOffset + 4 * (pairs + i));
        float a = x.get(JAVA_FLOAT_UNALIGNED, aOffset);
        float b = x.get(JAVA_FLOAT_UNALIGNED, bOffset);
        x.set(JAVA_FLOAT_UNALIGNED, aOffset, a * cos - b * sin);
        x.set(JAVA_FLOAT_UNALIGNED, bOffset, a * sin + b * cos);
      }
    }
  }
}
