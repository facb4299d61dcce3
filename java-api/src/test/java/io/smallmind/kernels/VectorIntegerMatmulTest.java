package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link MatmulConformanceTest} can't ask of every backend and format. */
class VectorIntegerMatmulTest {
  private static final Kernels KERNELS = new VectorKernels();
  private static final int ROWS = 31;
  private static final int OUTPUTS = 2 * VectorLanes.ROWS + 3;

  static Stream<VectorFormat> formats() {
    return Arrays.stream(VectorFormat.values()).filter(VectorIntegerMatmul::takes);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void aRowHasTheSameBitsAmongHoweverManyRows(VectorFormat format) {
    TensorType type = format.type;
    int columns = type.blockLength() == 32 ? 1024 + 256 + 96 : 1024 + 256;
    try (Guarded source = Guarded.rows(Data.normal(new Random(1), ROWS, columns), columns, 0);
        Guarded stored = Guarded.bytes(type.rowBytes(columns) * OUTPUTS);
        Guarded alone = Guarded.floats((long) ROWS * OUTPUTS, 0);
        Guarded together = Guarded.floats((long) ROWS * OUTPUTS, 0);
        Activations x = new Activations(KERNELS, source.matrix(ROWS, columns, 0))) {
      for (int row = 0; row < OUTPUTS; row++) {
        long at = row * type.rowBytes(columns);
        Data.weights(new Random(row), Data.Fill.RANDOM, type, stored.segment(), at, columns);
      }
      Matrix weights = Matrix.of(stored.segment(), type, OUTPUTS, columns);
      KERNELS.quantize(x, 0, ROWS);
      try (Team team = new Team(1);
          PackedWeights w = PackedWeights.pack(KERNELS, team, weights)) {
        for (int row = 0; row < ROWS; row++) {
          KERNELS.matmul(x, row, row + 1, w, 0, OUTPUTS, alone.matrix(ROWS, OUTPUTS, 0));
        }
        for (int rows : new int[] {9, 10, 11, 12, 13, 20, 31}) {
          int begin = ROWS - rows;
          Matrix y = together.matrix(ROWS, OUTPUTS, 0);
          KERNELS.matmul(x, begin, ROWS, w, 0, VectorLanes.ROWS, y);
          KERNELS.matmul(x, begin, ROWS, w, VectorLanes.ROWS, OUTPUTS, y);
          for (int row = begin; row < ROWS; row++) {
            for (int j = 0; j < OUTPUTS; j++) {
              String what = type + " of " + rows + " rows, at " + row + ", " + j;
              assertEquals(alone.get(row * OUTPUTS + j), together.get(row * OUTPUTS + j), what);
            }
          }
        }
      }
    }
  }
}
