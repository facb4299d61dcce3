package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * {@link Kernels#matmul} of every implementation and format, on the same blocks, against sums in
 * double precision of what the codec decodes times what the activations' quantization stands for.
 */
class MatmulConformanceTest extends KernelConformance {
  private static final int[] ROWS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24, 25, 33};
  private static final int[] OUTPUTS = {
    1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65
  };

  /** What activations hold. */
  private enum Values {
    NORMAL,
    /** Every quantized value is 127. */
    LARGEST,
    /** 127 or −127, at random. */
    EXTREMES,
    /** Every other block is zero, or too small to count. */
    ZERO_BLOCKS,
    /** Blocks of values around 1e30, and around 1e−25. */
    WIDE_RANGE
  }

  private static final Team TEAM = new Team(1);

  private record Case(
      TensorType type, int rows, int outputs, int columns, Data.Fill fill, Values values) {}

  private Stream<DynamicNode> onEveryBackendAndType(BiConsumer<Kernels, TensorType> body) {
    return backends().stream()
        .map(
            kernels ->
                DynamicContainer.dynamicContainer(
                    kernels.name(),
                    Data.TYPES.stream()
                        .map(
                            type ->
                                DynamicTest.dynamicTest(
                                    type.name(), () -> body.accept(kernels, type)))));
  }

  @TestFactory
  Stream<DynamicNode> allSmallShapes() {
    return onEveryBackendAndType(
        (kernels, type) -> {
          int unit = Math.max(type.blockLength(), 1);
          int turn = 0;
          for (int outputs : OUTPUTS) {
            for (int i = turn % 2; i < ROWS.length; i += 2 * STEP) {
              int columns =
                  type.isQuantized()
                      ? unit * new int[] {1, 2, 3, 5}[turn % 4]
                      : new int[] {1, 7, 32, 33, 64, 131, 300}[turn % 7];
              run(
                  kernels,
                  new Case(type, ROWS[i], outputs, columns, Data.Fill.RANDOM, Values.NORMAL));
              turn++;
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicNode> longRowsAndManyOutputs() {
    return onEveryBackendAndType(
        (kernels, type) -> {
          run(kernels, new Case(type, 1, 259, 2304, Data.Fill.RANDOM, Values.NORMAL));
          run(kernels, new Case(type, 4, 100, 4096, Data.Fill.RANDOM, Values.NORMAL));
          run(kernels, new Case(type, 150, 71, 768, Data.Fill.RANDOM, Values.NORMAL));
          run(kernels, new Case(type, 13, 259, 1280, Data.Fill.RANDOM, Values.NORMAL));
        });
  }

  @TestFactory
  Stream<DynamicNode> weightsAsTheyAreStored() {
    return onEveryBackendAndType(
        (kernels, type) -> {
          for (int rows : new int[] {1, 5, 40}) {
            run(kernels, new Case(type, rows, 71, 256, Data.Fill.RANDOM, Values.NORMAL), false);
          }
          run(kernels, new Case(type, 1, 35, 2304, Data.Fill.RANDOM, Values.NORMAL), false);
          run(kernels, new Case(type, 21, 33, 1280, Data.Fill.RANDOM, Values.NORMAL), false);
        });
  }

  @TestFactory
  Stream<DynamicNode> extremeWeightsAndActivations() {
    return onEveryBackendAndType(
        (kernels, type) -> {
          for (Data.Fill fill : Data.Fill.values()) {
            for (Values values : Values.values()) {
              int number = fill.ordinal() + values.ordinal();
              if (number % STEP != 0) {
                continue;
              }
              int few = new int[] {1, 3, 8}[number / STEP % 3];
              run(kernels, new Case(type, few, 35, 1024, fill, values));
              run(kernels, new Case(type, 21, 33, 512, fill, values));
            }
          }
        });
  }

  private static float[][] activations(Random random, Case c) {
    float[][] x = Data.normal(random, c.rows, c.columns);
    for (float[] row : x) {
      for (int j = 0; j < row.length; j++) {
        int block = j / Kernels.ACTIVATION_BLOCK;
        switch (c.values) {
          case NORMAL -> {}
          case LARGEST -> row[j] = 1 + block % 3;
          case EXTREMES -> row[j] = Math.copySign(1.5f, row[j]);
          case ZERO_BLOCKS -> row[j] *= block % 2 == 0 ? 1 : block % 4 == 1 ? 0 : 0x1p-110f;
          case WIDE_RANGE -> row[j] *= block % 2 == 0 ? 1e30f : 1e-25f;
        }
      }
    }
    return x;
  }

  private void run(Kernels kernels, Case c) {
    run(kernels, c, true);
  }

  private void run(Kernels kernels, Case c, boolean packed) {
    Random random = new Random(31L * c.rows + 1009L * c.outputs + c.columns);
    float[][] x = activations(random, c);
    int xPadding = c.rows % 3 * 5;
    int yPadding = c.outputs % 3 * 7;
    int group = kernels.rowGroup(c.type);
    String what = kernels.name() + " " + c + (packed ? "" : " as stored");
    try (GuardPage stored = weights(random, c);
        Guarded source = Guarded.rows(x, c.columns, xPadding);
        Guarded whole = Guarded.floats((long) c.rows * (c.outputs + yPadding), 0);
        Guarded parts = Guarded.floats((long) c.rows * (c.outputs + yPadding), 0);
        Activations left = new Activations(kernels, source.matrix(c.rows, c.columns, xPadding));
        PackedWeights right =
            packed
                ? PackedWeights.pack(kernels, TEAM, stored.matrix())
                : PackedWeights.stored(kernels, stored.matrix())) {
      Matrix y = whole.matrix(c.rows, c.outputs, yPadding);
      if (c.type.isQuantized()) {
        kernels.quantize(left, 0, c.rows);
      }
      kernels.matmul(left, 0, c.rows, right, 0, c.outputs, y);
      whole.check(c.rows, c.outputs, yPadding, 0, c.rows, what);
      compare(c, x, stored.matrix(), whole, yPadding, what);

      // The same in ranges: the outputs at a multiple of the row group, the rows anywhere.
      Matrix z = parts.matrix(c.rows, c.outputs, yPadding);
      int cut = c.rows / 3;
      long wCut = c.outputs / 2 / group * group;
      kernels.matmul(left, cut, c.rows, right, 0, wCut, z);
      parts.check(c.rows, (int) wCut, c.outputs - (int) wCut + yPadding, cut, c.rows, what);
      kernels.matmul(left, cut, c.rows, right, wCut, c.outputs, z);
      parts.check(c.rows, c.outputs, yPadding, cut, c.rows, what);
      kernels.matmul(left, 0, cut, right, 0, c.outputs, z);
      compare(c, x, stored.matrix(), parts, yPadding, what + " in parts");
    }
    count(kernels);
  }

  /** Makes stored weights whose last row ends at unmapped memory, and rows apart for some types. */
  private static GuardPage weights(Random random, Case c) {
    long rowBytes = c.type.rowBytes(c.columns);
    long stride = rowBytes + (c.outputs % 2 == 0 ? 0 : c.type.isQuantized() ? 6 : 12);
    GuardPage page = new GuardPage(c.type, c.outputs, c.columns, stride);
    for (int row = 0; row < c.outputs; row++) {
      Data.weights(random, c.fill, c.type, page.matrix().segment(), row * stride, c.columns);
    }
    return page;
  }

  private static void compare(
      Case c, float[][] x, Matrix weights, Guarded y, int padding, String what) {
    float[][] left = new float[c.rows][];
    for (int i = 0; i < c.rows; i++) {
      left[i] = Data.asMultiplied(c.type, x[i]);
    }
    // Equal products are rounded to the same side again and again: then errors add up.
    double bound = c.fill == Data.Fill.RANDOM ? sumBound(c.columns) : (8 + c.columns) * U;
    float[] w = new float[c.columns];
    for (int j = 0; j < c.outputs; j++) {
      c.type.codec().decode(weights.segment(), weights.rowOffset(j), w, 0, c.columns);
      double minimums = c.type.isQuantized() ? blockRange(c.type, w) : 0;
      for (int i = 0; i < c.rows; i++) {
        double sum = 0;
        double magnitude = 0;
        double size = 0;
        float[] a = left[i];
        for (int p = 0; p < c.columns; p++) {
          double product = (double) a[p] * w[p];
          sum += product;
          magnitude += Math.abs(product);
          size += Math.abs(a[p]);
        }
        // Where w = scale · q − minimum, the two parts may be multiplied one by one: each can be
        // larger than w by the range of its block.
        double tolerance = (magnitude + minimums * size) * bound + c.columns * Float.MIN_VALUE;
        assertClose(
            sum,
            y.get((long) i * (c.outputs + padding) + j),
            tolerance,
            what + " at " + i + ", " + j);
      }
    }
  }

  /** Returns what rounding the parts of a weight apart can add to its magnitude. */
  private static double blockRange(TensorType type, float[] w) {
    boolean inParts =
        switch (type) {
          case Q4_1, Q5_1, Q2_K, Q4_K, Q5_K -> true;
          default -> false;
        };
    double largest = 0;
    for (float value : w) {
      largest = Math.max(largest, Math.abs(value));
    }
    return inParts ? 2 * largest : 0;
  }

  @TestFactory
  Stream<DynamicNode> activationsThatAreNotFiniteSpoilTheirRow() {
    return onEveryBackendAndType(
        (kernels, type) -> {
          for (float bad :
              new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int rows : new int[] {1, 2, 5, 20}) {
              notFinite(kernels, type, bad, rows);
            }
          }
        });
  }

  private void notFinite(Kernels kernels, TensorType type, float bad, int rows) {
    Random random = new Random(rows);
    Case c = new Case(type, rows, 37, 512, Data.Fill.RANDOM, Values.NORMAL);
    float[][] x = activations(random, c);
    int spoiled = rows / 2;
    x[spoiled][300] = bad;
    String what = kernels.name() + " " + c + " with " + bad;
    try (GuardPage stored = weights(random, c);
        Guarded source = Guarded.rows(x, c.columns, 0);
        Guarded out = Guarded.floats((long) c.rows * c.outputs, 0);
        Activations left = new Activations(kernels, source.matrix(c.rows, c.columns, 0));
        PackedWeights right = PackedWeights.pack(kernels, TEAM, stored.matrix())) {
      if (type.isQuantized()) {
        kernels.quantize(left, 0, rows);
      }
      kernels.matmul(left, 0, rows, right, 0, c.outputs, out.matrix(rows, c.outputs, 0));
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < c.outputs; j++) {
          float y = out.get((long) i * c.outputs + j);
          assertEquals(i != spoiled, Float.isFinite(y), what + " at " + i + ", " + j + ": " + y);
        }
      }
    }
    count(kernels);
  }

  /** Weights that are rows of the identity give back what the activations were quantized to. */
  @TestFactory
  Stream<DynamicTest> quantizationIsExact() {
    return onEveryBackend(
        kernels -> {
          float[][] x = quantizationCases();
          int columns = x[0].length;
          try (Guarded stored = Guarded.bytes(TensorType.Q8_0.rowBytes(columns) * columns);
              Guarded source = Guarded.rows(x, columns, 3);
              Guarded out = Guarded.floats((long) x.length * columns, 0);
              Activations left = new Activations(kernels, source.matrix(x.length, columns, 3))) {
            Data.identity(stored.segment(), columns);
            Matrix identity = Matrix.of(stored.segment(), TensorType.Q8_0, columns, columns);
            try (PackedWeights right = PackedWeights.pack(kernels, TEAM, identity)) {
              for (int row = 0; row < x.length; row++) {
                kernels.quantize(left, row, row + 1);
              }
              for (int row = 0; row < x.length; row += 5) { // as few rows, and as many
                kernels.matmul(
                    left,
                    row,
                    Math.min(x.length, row + 5),
                    right,
                    0,
                    columns,
                    out.matrix(x.length, columns, 0));
              }
              checkIdentity(kernels, x, out);
              kernels.matmul(
                  left, 0, x.length, right, 0, columns, out.matrix(x.length, columns, 0));
              checkIdentity(kernels, x, out);
            }
          }
          count(kernels);
        });
  }

  private static void checkIdentity(Kernels kernels, float[][] x, Guarded out) {
    for (int i = 0; i < x.length; i++) {
      float[] expected = Data.quantizedAndBack(x[i]);
      for (int j = 0; j < expected.length; j++) {
        float y = out.get((long) i * expected.length + j);
        if (expected[j] != y) {
          assertEquals(
              expected[j],
              y,
              kernels.name() + " quantizes " + x[i][j] + " in case " + i + ", " + j);
        }
      }
    }
  }

  private static float[][] quantizationCases() {
    int columns = 96;
    Random random = new Random(8);
    float[][] x = Data.normal(random, 40, columns);
    for (int j = 0; j < columns; j++) {
      x[0][j] = j - 31.5f; // ties, once the largest is 127
      x[1][j] = -j * 0.5f;
      x[2][j] = 0;
      x[3][j] = -0f;
      x[4][j] = Float.MIN_VALUE * j;
      x[5][j] = 0x1p126f * (j % 2 == 0 ? 1 : -0.5f);
      x[6][j] = Kernels.ACTIVATION_TINY;
      x[7][j] = Math.nextDown(Kernels.ACTIVATION_TINY);
      x[8][j] = (float) Math.pow(10, j % 60 - 30);
    }
    x[0][31] = x[0][63] = x[0][95] = 127;
    x[1][31] = x[1][63] = x[1][95] = -127;
    return x;
  }
}
