package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Softmax, the norms and RoPE of every implementation against double precision. */
class RowsConformanceTest extends KernelConformance {
  private static final int[] COLUMNS = {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1025, 4099};
  private static final int ROWS = 5;

  /** A function of rows; computes rows begin to end. */
  private interface RowFunction {
    void apply(Guarded in, Guarded out, int inPadding, int outPadding, int begin, int end);
  }

  /** What a row should become, and the error allowed to each value. */
  private interface Expectation {
    void fill(float[] row, double[] expected, double[] tolerance);
  }

  private void check(
      Kernels kernels, String name, float[][] x, RowFunction function, Expectation expectation) {
    int columns = x[0].length;
    String what = kernels.name() + " " + name + " of " + columns;
    try (Guarded in = Guarded.rows(x, columns, 3);
        Guarded out = Guarded.floats((long) x.length * (columns + 5), 0)) {
      function.apply(in, out, 3, 5, 1, 3);
      out.check(x.length, columns, 5, 1, 3, what);
      function.apply(in, out, 3, 5, 3, x.length);
      function.apply(in, out, 3, 5, 0, 1);
      out.check(x.length, columns, 5, 0, x.length, what);
      function.apply(in, in, 3, 3, 0, x.length);
      in.check(x.length, columns, 3, 0, x.length, what);
      double[] expected = new double[columns];
      double[] tolerance = new double[columns];
      for (int i = 0; i < x.length; i++) {
        expectation.fill(x[i], expected, tolerance);
        for (int j = 0; j < columns; j++) {
          float apart = out.get((long) i * (columns + 5) + j);
          float inPlace = in.get((long) i * (columns + 3) + j);
          assertClose(expected[j], apart, tolerance[j], what + " at " + i + ", " + j);
          assertClose(expected[j], inPlace, tolerance[j], what + " in place at " + i + ", " + j);
        }
      }
    }
    count(kernels);
  }

  private static float[][] rows(int columns) {
    float[][] x = Data.normal(new Random(columns), ROWS, columns);
    for (int j = 0; j < columns; j++) {
      x[1][j] *= 30;
      x[2][j] = 1000 + x[2][j];
      x[3][j] = 0.25f;
    }
    return x;
  }

  @TestFactory
  Stream<DynamicTest> softmax() {
    return onEveryBackend(
        kernels -> {
          for (int columns : COLUMNS) {
            float[][] x = rows(columns);
            x[3][columns / 2] = Float.NEGATIVE_INFINITY; // a masked position
            x[4][columns / 3] = 200;
            x[4][columns / 2] = -3e38f;
            checkSoftmax(kernels, x);
          }
          float[][] x = rows(21);
          x[0][7] = Float.NaN;
          x[1][20] = Float.NaN;
          Arrays.fill(x[2], Float.NEGATIVE_INFINITY);
          checkSoftmax(kernels, x);
        });
  }

  private void checkSoftmax(Kernels kernels, float[][] x) {
    int columns = x[0].length;
    check(
        kernels,
        "softmax",
        x,
        (in, out, inPadding, outPadding, begin, end) ->
            kernels.softmax(
                in.matrix(x.length, columns, inPadding),
                out.matrix(x.length, columns, outPadding),
                begin,
                end),
        (row, expected, tolerance) -> {
          float max = Float.NEGATIVE_INFINITY;
          for (float value : row) {
            max = Math.max(max, value);
          }
          double sum = 0;
          for (int j = 0; j < columns; j++) {
            expected[j] = Math.exp((double) row[j] - max);
            sum += expected[j];
          }
          for (int j = 0; j < columns; j++) {
            expected[j] /= sum;
            // The difference to the maximum is rounded before exp makes it a factor.
            double distance = Math.min(Math.abs((double) row[j] - max), 200);
            tolerance[j] = expected[j] * (sumBound(columns) + 2 * U * distance) + Float.MIN_NORMAL;
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> layerNorm() {
    return onEveryBackend(
        kernels -> {
          for (int columns : COLUMNS) {
            float[] weight = Data.normal(new Random(1), 1, columns)[0];
            float[] bias = Data.normal(new Random(2), 1, columns)[0];
            try (Guarded w = Guarded.of(weight);
                Guarded b = Guarded.of(bias)) {
              check(
                  kernels,
                  "layerNorm",
                  rows(columns),
                  (in, out, inPadding, outPadding, begin, end) ->
                      kernels.layerNorm(
                          in.matrix(ROWS, columns, inPadding),
                          w.matrix(1, columns, 0),
                          b.matrix(1, columns, 0),
                          1e-5f,
                          out.matrix(ROWS, columns, outPadding),
                          begin,
                          end),
                  (row, expected, tolerance) -> {
                    double mean = 0;
                    double largest = 0;
                    for (float value : row) {
                      mean += value;
                      largest = Math.max(largest, Math.abs(value));
                    }
                    mean /= columns;
                    double variance = 0;
                    for (float value : row) {
                      variance += (value - mean) * (value - mean) / columns;
                    }
                    double factor = 1 / Math.sqrt(variance + 1e-5f);
                    for (int j = 0; j < columns; j++) {
                      double normal = (row[j] - mean) * factor;
                      expected[j] = normal * weight[j] + bias[j];
                      // The mean's error is relative to the values, and joins every distance.
                      double error = sumBound(columns) * largest * factor * (1 + Math.abs(normal));
                      tolerance[j] =
                          Math.abs(weight[j]) * (error + sumBound(columns) * Math.abs(normal))
                              + 2 * U * (Math.abs(expected[j]) + Math.abs(bias[j]));
                    }
                  });
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> rmsNorm() {
    return onEveryBackend(
        kernels -> {
          for (int columns : COLUMNS) {
            float[] weight = Data.normal(new Random(1), 1, columns)[0];
            try (Guarded w = Guarded.of(weight)) {
              check(
                  kernels,
                  "rmsNorm",
                  rows(columns),
                  (in, out, inPadding, outPadding, begin, end) ->
                      kernels.rmsNorm(
                          in.matrix(ROWS, columns, inPadding),
                          w.matrix(1, columns, 0),
                          1e-6f,
                          out.matrix(ROWS, columns, outPadding),
                          begin,
                          end),
                  (row, expected, tolerance) -> {
                    double squares = 0;
                    for (float value : row) {
                      squares += (double) value * value / columns;
                    }
                    for (int j = 0; j < columns; j++) {
                      expected[j] = row[j] / Math.sqrt(squares + 1e-6f) * weight[j];
                      tolerance[j] = sumBound(columns) * Math.abs(expected[j]);
                    }
                  });
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> rope() {
    return onEveryBackend(
        kernels -> {
          for (RopePairing pairing : RopePairing.values()) {
            for (int headDim : new int[] {2, 4, 6, 8, 16, 30, 32, 48, 64, 80, 128}) {
              for (int rotaryDim : new int[] {headDim, headDim / 4 * 2, 2}) {
                rope(kernels, pairing, 3, headDim, rotaryDim);
              }
            }
          }
        });
  }

  private void rope(Kernels kernels, RopePairing pairing, int heads, int headDim, int rotaryDim) {
    float[] x = Data.normal(new Random(headDim), 1, heads * headDim)[0];
    float[] angles = Data.normal(new Random(rotaryDim), 1, rotaryDim / 2)[0];
    float[] table = new float[rotaryDim];
    int pairs = rotaryDim / 2;
    for (int i = 0; i < pairs; i++) {
      table[i] = (float) Math.cos(angles[i]);
      table[pairs + i] = (float) Math.sin(angles[i]);
    }
    String what = kernels.name() + " rope " + pairing + " " + rotaryDim + " of " + headDim;
    try (Guarded values = Guarded.floats(x.length, 1);
        Guarded angle = Guarded.of(table)) {
      values.set(x);
      kernels.rope(
          pairing,
          values.withZones(),
          values.offset(),
          heads,
          headDim,
          rotaryDim,
          angle.withZones(),
          angle.offset());
      values.check(what);
      for (int head = 0; head < heads; head++) {
        int first = head * headDim;
        for (int i = 0; i < pairs; i++) {
          int at = first + (pairing == RopePairing.ADJACENT ? 2 * i : i);
          int bt = first + (pairing == RopePairing.ADJACENT ? 2 * i + 1 : i + pairs);
          double a = x[at];
          double b = x[bt];
          double cos = table[i];
          double sin = table[pairs + i];
          double size = Math.abs(a) + Math.abs(b);
          assertClose(a * cos - b * sin, values.get(at), 2 * U * size, what);
          assertClose(a * sin + b * cos, values.get(bt), 2 * U * size, what);
        }
        for (int i = rotaryDim; i < headDim; i++) {
          assertEquals(x[first + i], values.get(first + i), what + " beyond the rotated part");
        }
      }
    }
    count(kernels);
  }
}
