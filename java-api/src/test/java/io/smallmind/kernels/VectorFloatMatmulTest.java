package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@link MatmulConformanceTest} can't ask of every backend and format. */
class VectorFloatMatmulTest {
  private static final Kernels KERNELS = new VectorKernels();
  private static final int ROWS = 12;
  private static final int OUTPUTS = 2 * VectorLanes.ROWS + 3;
  private static final int COLUMNS = 2 * VectorTile.DEPTH + 77;

  private final float[][] x = Data.normal(new Random(1), ROWS, COLUMNS);
  private final float[][] w = Data.normal(new Random(2), OUTPUTS, COLUMNS);

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void aRowHasTheSameBitsAmongHoweverManyRows(TensorType type) {
    float[] all = multiply(type, ROWS, 0, ROWS);
    for (int rows : new int[] {1, 2, 3, 5, 8}) {
      for (int row = 0; row + rows <= ROWS; row++) {
        float[] some = multiply(type, ROWS, row, row + rows);
        for (int i = row * OUTPUTS; i < (row + rows) * OUTPUTS; i++) {
          assertEquals(all[i], some[i], type + " " + i + " from " + row + ", " + rows);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void weightsThatAreNotFiniteSpoilTheirOutput(TensorType type) {
    w[3][5] = Float.POSITIVE_INFINITY;
    w[4][6] = Float.NEGATIVE_INFINITY;
    w[OUTPUTS - 1][COLUMNS - 1] = Float.NaN;
    for (int rows : new int[] {1, 3, ROWS}) {
      float[] y = multiply(type, rows, 0, rows);
      for (int row = 0; row < rows; row++) {
        for (int j = 0; j < OUTPUTS; j++) {
          float value = y[row * OUTPUTS + j];
          String what = type + " at " + row + ", " + j;
          if (j == 3) {
            assertEquals(Math.copySign(Float.POSITIVE_INFINITY, x[row][5]), value, what);
          } else if (j == 4) {
            assertEquals(Math.copySign(Float.POSITIVE_INFINITY, -x[row][6]), value, what);
          } else {
            assertEquals(j == OUTPUTS - 1, Float.isNaN(value), what + ": " + value);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void theSmallestWeightsAndTheLargestActivationsCount(TensorType type) {
    float smallest = type == TensorType.F16 ? 0x1p-24f : 0x1p-120f;
    for (float[] row : w) {
      Arrays.fill(row, 0);
      row[7] = smallest;
    }
    x[0][7] = 65504;
    x[1][7] = 65536;
    x[2][7] = 0x1p100f;
    for (int row = 0; row < 3; row++) {
      float[] y = multiply(type, ROWS, row, row + 1);
      float expected = (type == TensorType.BF16 && row == 0 ? 65536 : x[row][7]) * smallest;
      assertTrue(expected > 0);
      assertEquals(expected, y[row * OUTPUTS], type + " " + row);
    }
  }

  /** As in a layer, whose hidden width comes before its wider one. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void aThreadMultipliesWiderMatricesThanBefore(TensorType type) throws InterruptedException {
    float[] expected = multiply(type, 2, 0, 2);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .uncaughtExceptionHandler((who, thrown) -> failure.set(thrown))
            .start(
                () -> {
                  multiply(type, 1, 0, 1, COLUMNS / 3);
                  float[] y = multiply(type, 1, 0, 1, COLUMNS);
                  assertArrayEquals(Arrays.copyOf(expected, OUTPUTS), y);
                });
    thread.join();
    assertNull(failure.get(), () -> failure.get().toString());
  }

  /** Returns (rows, OUTPUTS), of which a range is computed. */
  private float[] multiply(TensorType type, int rows, int begin, int end) {
    return multiply(type, rows, begin, end, COLUMNS);
  }

  /** Of the first columns. */
  private float[] multiply(TensorType type, int rows, int begin, int end, int columns) {
    try (Memory stored = Memory.allocate(OUTPUTS * type.rowBytes(columns));
        Memory source = Memory.allocate(4L * rows * columns);
        Memory out = Memory.allocate(4L * rows * OUTPUTS);
        Activations left =
            new Activations(KERNELS, Matrix.of(source.segment(), TensorType.F32, rows, columns))) {
      for (int j = 0; j < OUTPUTS; j++) {
        type.codec().encode(w[j], 0, stored.segment(), j * type.rowBytes(columns), columns);
      }
      for (int i = 0; i < rows * columns; i++) {
        source.segment().setAtIndex(JAVA_FLOAT, i, x[i / columns][i % columns]);
      }
      Matrix weights = Matrix.of(stored.segment(), type, OUTPUTS, columns);
      try (PackedWeights right = PackedWeights.pack(KERNELS, new Team(1), weights)) {
        Matrix y = Matrix.of(out.segment(), TensorType.F32, rows, OUTPUTS);
        KERNELS.matmul(left, begin, end, right, 0, OUTPUTS, y);
      }
      float[] result = new float[rows * OUTPUTS];
      for (int i = 0; i < result.length; i++) {
        result[i] = out.segment().getAtIndex(JAVA_FLOAT, i);
      }
      return result;
    }
  }
}
