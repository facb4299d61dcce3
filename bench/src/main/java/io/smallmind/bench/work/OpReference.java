package io.smallmind.bench.work;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Verdict;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Checks an operation's outputs against double precision, on sampled rows and columns. */
final class OpReference {
  private static final int ROWS = 32;
  private static final int COLUMNS = 16;
  private static final double HALF_UNIT = 0x1p-24;

  private OpReference() {}

  /**
   * Checks outputs (rows, columns) of every operation but dot and quantize.
   *
   * @param pairs RoPE rotates value i of a head with value i + headDim/2
   */
  static Verdict check(OpData data, MemorySegment out) {
    Checker checker = new Checker();
    SplittableRandom random = new SplittableRandom(data.length());
    for (int i = 0; i < ROWS; i++) {
      long row = i == 0 ? 0 : i == 1 ? data.rows() - 1 : random.nextLong(data.rows());
      Row stats = new Row(data, row);
      for (int j = 0; j < COLUMNS; j++) {
        long column = j == 0 ? 0 : j == 1 ? data.columns() - 1 : random.nextLong(data.columns());
        float actual = out.getAtIndex(ValueLayout.JAVA_FLOAT, row * data.columns() + column);
        String what = data.op().title() + " [" + row + "][" + column + "]";
        checker.check(what, actual, stats.expected(column), stats.tolerance(column));
      }
    }
    return checker.verdict();
  }

  /** Checks Σ a·b. */
  static Verdict checkDot(OpData data, double actual) {
    double sum = 0;
    double magnitude = 0;
    for (long i = 0; i < data.length(); i++) {
      double product = (double) data.a(0, i) * data.b(0, i);
      sum += product;
      magnitude += Math.abs(product);
    }
    Checker checker = new Checker();
    double tolerance = (8 + 6 * Math.sqrt(data.length())) * HALF_UNIT * magnitude;
    checker.check("dot", actual, sum, tolerance);
    return checker.verdict();
  }

  /** What the outputs of one row depend on. */
  private static final class Row {
    private final OpData data;
    private final long row;
    private double max = Double.NEGATIVE_INFINITY;
    private double mean;
    private double meanSquare;
    private double sumOfExponentials;

    Row(OpData data, long row) {
      this.data = data;
      this.row = row;
      long columns = data.columns();
      if (!data.op().isRowWise()) {
        return;
      }
      for (long i = 0; i < columns; i++) {
        double value = data.a(row, i);
        max = Math.max(max, value);
        mean += value / columns;
        meanSquare += value * value / columns;
      }
      for (long i = 0; i < columns; i++) {
        sumOfExponentials += Math.exp(data.a(row, i) - max);
      }
    }

    double expected(long column) {
      double x = data.a(row, column);
      return switch (data.op()) {
        case ADD -> (float) (x + data.b(row, column));
        case MULTIPLY -> (float) (x * data.b(row, column));
        case SCALE -> (float) (x * OpData.FACTOR);
        case RELU -> Math.max(x, 0);
        case GELU -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        case GELU_ERF -> x / 2 * (1 + erf(x / Math.sqrt(2)));
        case SILU -> x / (1 + Math.exp(-x));
        case SIGMOID -> 1 / (1 + Math.exp(-x));
        case TANH -> Math.tanh(x);
        case SOFTMAX -> Math.exp(x - max) / sumOfExponentials;
        case LAYER_NORM -> (x - mean) / deviation() * data.b(0, column) + data.b(1, column);
        case RMS_NORM -> x / Math.sqrt(meanSquare + OpData.EPSILON) * data.b(0, column);
        case ROPE -> rotated(column);
        case DOT, QUANTIZE -> throw new IllegalArgumentException(data.op().title());
      };
    }

    double tolerance(long column) {
      double expected = Math.abs(expected(column));
      double sums = (16 + 6 * Math.sqrt(data.columns())) * HALF_UNIT;
      return switch (data.op()) {
        case ADD, MULTIPLY, SCALE, RELU -> 0;
        case SOFTMAX, RMS_NORM -> sums * expected + Float.MIN_NORMAL;
        case LAYER_NORM -> sums * (expected + Math.abs(data.b(1, column)) + 1 / deviation());
        case ROPE -> 8 * HALF_UNIT;
        default -> Math.max(4 * Math.ulp((float) expected), 1e-7); // what Kernels.unary promises
      };
    }

    private double deviation() {
      return Math.sqrt(meanSquare - mean * mean + OpData.EPSILON);
    }

    /** The pairing is that of the halves of a head. */
    private double rotated(long column) {
      long half = OpData.HEAD_DIM / 2;
      long inHead = column % OpData.HEAD_DIM;
      long pair = inHead % half;
      double cos = data.table().segment().getAtIndex(ValueLayout.JAVA_FLOAT, pair);
      double sin = data.table().segment().getAtIndex(ValueLayout.JAVA_FLOAT, half + pair);
      double x = data.a(row, column);
      return inHead < half
          ? x * cos - data.a(row, column + half) * sin
          : data.a(row, column - half) * sin + x * cos;
    }
  }

  /** The series of Abramowitz and Stegun 7.1.6: all terms have one sign, so nothing cancels. */
  static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int i = 1; Math.abs(term) > 1e-17 * Math.abs(sum); i++) {
      term *= 2 * x * x / (2 * i + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
