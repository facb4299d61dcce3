package io.smallmind.bench.work;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Some outputs of a matmul, computed in double precision from the formats' specifications, and how
 * far a right result may lie from them. Immutable and thread-safe.
 *
 * <p>A sum of K products in F32 is off by about √K half units in the last place of Σ|a·b| (Higham
 * and Mary 2019, with a factor of 6 holding in all but one case of millions), whatever the order of
 * the additions.
 */
final class MatmulReference {
  private static final int SAMPLES = 64;
  private static final double HALF_UNIT = 0x1p-24;

  /** One output. */
  private record Sample(long row, long column, double expected, double tolerance) {}

  private final long columns;
  private final List<Sample> samples;

  private MatmulReference(long columns, List<Sample> samples) {
    this.columns = columns;
    this.samples = List.copyOf(samples);
  }

  /** Samples c (m, n) = a (m, k) · b (k, n), all F32 and contiguous. */
  static MatmulReference ofGemm(MemorySegment a, MemorySegment b, long m, long n, long k) {
    List<Sample> samples = new ArrayList<>();
    for (long[] at : places(m, n)) {
      double sum = 0;
      double magnitude = 0;
      for (long i = 0; i < k; i++) {
        double product = (double) at(a, at[0] * k + i) * at(b, i * n + at[1]);
        sum += product;
        magnitude += Math.abs(product);
      }
      samples.add(new Sample(at[0], at[1], sum, tolerance(k, magnitude)));
    }
    return new MatmulReference(n, samples);
  }

  /** Samples y (rows, N) = x (rows, K) · Wᵀ; x is F32 and contiguous. */
  static MatmulReference ofMatmul(MemorySegment x, long rows, Matrix weights) {
    long k = weights.columns();
    TensorType type = weights.type();
    List<Sample> samples = new ArrayList<>();
    float[] w = new float[Math.toIntExact(k)];
    for (long[] at : places(rows, weights.rows())) {
      type.codec().decode(weights.segment(), weights.rowOffset(at[1]), w, 0, w.length);
      double[] activations = activations(x, at[0] * k, w.length, type);
      double sum = 0;
      double sumOfX = 0;
      double largest = 0;
      for (int i = 0; i < w.length; i++) {
        sum += activations[i] * w[i];
        sumOfX += Math.abs(activations[i]);
        largest = Math.max(largest, Math.abs(w[i]));
      }
      // A weight is a step times an integer, less an offset of the size of the largest weight:
      // kernels sum the two apart, so each part counts in full.
      double magnitude = (type.isQuantized() ? 2 : 1) * sumOfX * largest;
      samples.add(new Sample(at[0], at[1], sum, tolerance(k, magnitude)));
    }
    return new MatmulReference(weights.rows(), samples);
  }

  /** Checks the samples, and that every output was written. */
  Verdict check(MemorySegment y) {
    Checker checker = new Checker();
    for (Sample sample : samples) {
      String what = "output [" + sample.row + "][" + sample.column + "]";
      float actual = at(y, sample.row * columns + sample.column);
      checker.check(what, actual, sample.expected, sample.tolerance);
    }
    long length = y.byteSize() / Float.BYTES;
    for (long i = 0; i < length; i++) {
      float value = at(y, i);
      if (Float.isNaN(value)) {
        checker.check("output [" + i / columns + "][" + i % columns + "]", value, 0, 0);
        break;
      }
    }
    return checker.verdict();
  }

  static double tolerance(long k, double magnitude) {
    return (8 + 6 * Math.sqrt(k)) * HALF_UNIT * magnitude + Float.MIN_NORMAL;
  }

  /** Returns the corners, and random places. */
  static List<long[]> places(long rows, long columns) {
    List<long[]> places = new ArrayList<>();
    places.add(new long[] {0, 0});
    places.add(new long[] {0, columns - 1});
    places.add(new long[] {rows - 1, 0});
    places.add(new long[] {rows - 1, columns - 1});
    SplittableRandom random = new SplittableRandom(rows * 31 + columns);
    while (places.size() < SAMPLES) {
      places.add(new long[] {random.nextLong(rows), random.nextLong(columns)});
    }
    return places;
  }

  /** Returns a row of activations as kernels see it: see {@link Kernels#matmul}. */
  private static double[] activations(MemorySegment x, long begin, int length, TensorType type) {
    double[] values = new double[length];
    for (int block = 0; block < length; block += Kernels.ACTIVATION_BLOCK) {
      int end = Math.min(length, block + Kernels.ACTIVATION_BLOCK);
      float largest = 0;
      for (int i = block; i < end; i++) {
        largest = Math.max(largest, Math.abs(at(x, begin + i)));
      }
      float step = largest / 127;
      float inverse = 127 / largest;
      for (int i = block; i < end; i++) {
        float value = at(x, begin + i);
        values[i] =
            type.isQuantized()
                ? Math.rint(value * inverse) * (double) step
                : type == TensorType.BF16 ? roundToBf16(value) : value;
      }
    }
    return values;
  }

  private static float roundToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF_0000);
  }

  static float at(MemorySegment segment, long index) {
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }
}
