package io.smallmind.bench.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class RivalDataTest {
  private static final int ROWS = 3;
  private static final int N = 40;
  private static final int K = 64;

  /** Multiplies as a rival would, from the files alone, and changes each output. */
  private static void multiply(RivalData data, DoubleUnaryOperator change) throws IOException {
    ByteBuffer a = read(data.product().a());
    ByteBuffer b = read(data.product().b());
    ByteBuffer y = ByteBuffer.allocate(ROWS * N * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < N; column++) {
        double sum = 0;
        for (int i = 0; i < K; i++) {
          int at = data.product().transposed() ? column * K + i : i * N + column;
          sum += (double) a.getFloat((row * K + i) * Float.BYTES) * b.getFloat(at * Float.BYTES);
        }
        y.putFloat((float) change.applyAsDouble(sum));
      }
    }
    Files.write(data.output(), y.array());
  }

  private static ByteBuffer read(Path file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void exactProductsAreRightAndOthersAreNot() throws IOException {
    try (GemmData gemm = GemmData.random(ROWS, N, K);
        RivalData data = RivalData.ofGemm(gemm)) {
      multiply(data, y -> y);
      assertTrue(data.check(0).isRight());
      multiply(data, y -> y * 1.001);
      assertFalse(data.check(0).isRight());
      multiply(data, y -> y * 1.001);
      assertTrue(data.check(0.004).isRight());
      multiply(data, y -> y * 1.01);
      assertFalse(data.check(0.004).isRight());
      multiply(data, y -> Double.NaN);
      assertFalse(data.check(0.004).isRight());
    }
  }

  @Test
  void weightsOfAModelAreTransposedAndTakenInTurn() throws IOException {
    Memory x = RandomData.floats(ROWS * K, 3);
    try (x;
        Weights weights = Weights.random(TensorType.F32, N, K, 5L * N * K * Float.BYTES);
        RivalData data = RivalData.ofMatmul(x.segment(), ROWS, weights)) {
      assertTrue(data.product().transposed());
      assertEquals(5, data.product().copies());
      multiply(data, y -> y);
      assertTrue(data.check(0).isRight());
    }
  }

  @Test
  void resultOfAnotherSizeIsAnError() throws IOException {
    try (GemmData gemm = GemmData.random(ROWS, N, K);
        RivalData data = RivalData.ofGemm(gemm)) {
      Files.write(data.output(), new byte[8]);
      assertThrows(IOException.class, () -> data.check(0));
    }
  }
}
