package io.smallmind;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BackendException;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BackendTest {
  static Stream<Backend> backends() {
    return KernelRegistry.get().available().stream()
        .map(kernels -> Backend.of(kernels, Team.shared()));
  }

  @ParameterizedTest
  @MethodSource("backends")
  void multipliesArrays(Backend backend) {
    for (int[] shape : new int[][] {{1, 1, 1}, {3, 5, 7}, {1, 300, 64}, {129, 65, 33}}) {
      int m = shape[0];
      int n = shape[1];
      int k = shape[2];
      float[] a = random(m * k, 1);
      float[] b = random(k * n, 2);
      float[] c = new float[m * n];
      backend.matmul(a, b, c, m, n, k);
      assertArrayEquals(product(a, b, m, n, k), c, tolerance(k));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void multipliesEveryKindOfSegment(Backend backend) {
    int m = 70;
    int n = 50;
    int k = 40;
    float[] a = random(m * k, 1);
    float[] b = random(k * n, 2);
    float[] expected = product(a, b, m, n, k);
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      List<MemorySegment> results =
          List.of(
              confined.allocate(m * n * 4L),
              shared.allocate(m * n * 4L),
              shared.allocate(m * n * 4L + 1).asSlice(1),
              MemorySegment.ofArray(new float[m * n]));
      for (MemorySegment c : results) {
        backend.matmul(MemorySegment.ofArray(a), copy(confined, b), c, m, n, k);
        assertArrayEquals(expected, c.toArray(JAVA_FLOAT_UNALIGNED), tolerance(k));
        backend.matmul(copy(shared, a), copy(shared, b), c, m, n, k);
        assertArrayEquals(expected, c.toArray(JAVA_FLOAT_UNALIGNED), tolerance(k));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void leavesTheGapsBetweenRowsAlone(Backend backend) {
    int m = 33;
    int n = 20;
    int k = 17;
    int ldc = 23;
    float[] a = random(m * k, 1);
    float[] b = random(k * n, 2);
    float[] c = new float[m * ldc];
    java.util.Arrays.fill(c, 7);
    backend.gemm(
        false,
        false,
        m,
        n,
        k,
        1,
        MemorySegment.ofArray(a),
        k,
        MemorySegment.ofArray(b),
        n,
        0,
        MemorySegment.ofArray(c),
        ldc);
    float[] expected = product(a, b, m, n, k);
    for (int row = 0; row < m; row++) {
      for (int column = 0; column < ldc; column++) {
        float value = c[row * ldc + column];
        if (column < n) {
          assertEquals(expected[row * n + column], value, tolerance(k));
        } else {
          assertEquals(7, value);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void multipliesQuantizedWeights(Backend backend) {
    for (TensorType type :
        List.of(TensorType.F32, TensorType.F16, TensorType.Q8_0, TensorType.Q4_K)) {
      for (int rows : new int[] {1, 5, 64}) {
        int outputs = 70;
        int columns = 512;
        float[] weights = random(outputs * columns, 3);
        float[] x = random(rows * columns, 4);
        float[] y = new float[rows * outputs];
        try (QuantizedMatrix w = QuantizedMatrix.quantize(weights, outputs, columns, type)) {
          backend.matmul(x, w, y);
          float[] decoded = w.dequantize();
          for (int i = 0; i < rows; i++) {
            for (int j = 0; j < outputs; j++) {
              double sum = 0;
              double bound = 0;
              for (int c = 0; c < columns; c++) {
                double product = (double) x[i * columns + c] * decoded[j * columns + c];
                sum += product;
                // Quantized activations are off by half a step of at most max|x| / 127.
                bound +=
                    Math.abs(decoded[j * columns + c]) * (0.51 / 127) + Math.abs(product) * 1e-6;
              }
              assertEquals(sum, y[i * outputs + j], bound, type + " " + i + " " + j);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void doesNotAllocateOnTheHeap(Backend backend) {
    int size = 64;
    float[] a = random(size * size, 1);
    float[] c = new float[size * size];
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    try (QuantizedMatrix w = QuantizedMatrix.quantize(a, size, size, TensorType.Q8_0);
        Arena arena = Arena.ofShared()) {
      MemorySegment x = copy(arena, a);
      MemorySegment y = arena.allocate(size * size * 4L);
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 20 && least > 0; attempt++) {
        long before = threads.getTotalThreadAllocatedBytes();
        long own = threads.getCurrentThreadAllocatedBytes();
        for (int call = 0; call < 1000; call++) {
          backend.matmul(a, a, c, size, size, size);
          backend.matmul(x, x, y, size, size, size);
          backend.matmul(a, w, c);
          backend.matmul(x, w, y);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - own);
        assertTrue(threads.getTotalThreadAllocatedBytes() >= before);
      }
      assertEquals(0, least);
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    Backend backend = Backend.best();
    float[] four = new float[4];
    assertThrows(
        BadArgumentException.class, () -> backend.matmul(four, four, new float[4], 2, 2, 3));
    assertThrows(BadArgumentException.class, () -> backend.matmul(four, four, four, 2, 2, 2));
    assertThrows(
        BadArgumentException.class, () -> backend.matmul(four, four, new float[4], -2, -2, -2));
    assertThrows(
        BadArgumentException.class,
        () -> backend.matmul(four, four, new float[4], 1L << 32, 1L << 32, 1L << 32));
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(64);
      MemorySegment a = memory.asSlice(0, 16);
      MemorySegment overlapping = memory.asSlice(12, 16);
      assertThrows(BadArgumentException.class, () -> backend.matmul(a, a, overlapping, 2, 2, 2));
      assertThrows(
          BadArgumentException.class, () -> backend.matmul(a, a, memory.asSlice(16, 12), 2, 2, 2));
      assertThrows(
          BadArgumentException.class,
          () -> backend.matmul(a, a, memory.asSlice(16, 16).asReadOnly(), 2, 2, 2));
      assertThrows(
          BadArgumentException.class,
          () -> backend.gemm(false, false, 2, 2, 2, 1, a, 1, a, 2, 0, memory.asSlice(16, 16), 2));
    }
    Arena closed = Arena.ofShared();
    MemorySegment dead = closed.allocate(16);
    closed.close();
    assertThrows(
        ClosedException.class,
        () -> backend.matmul(dead, dead, MemorySegment.ofArray(new float[4]), 2, 2, 2));
  }

  @Test
  void refusesWeightsThatDoNotFit() {
    assertThrows(
        BadArgumentException.class,
        () -> QuantizedMatrix.quantize(new float[33], 1, 33, TensorType.Q4_0));
    assertThrows(
        BadArgumentException.class,
        () -> QuantizedMatrix.quantize(new float[64], 1, 32, TensorType.Q4_0));
    try (QuantizedMatrix w = QuantizedMatrix.quantize(new float[64], 2, 32, TensorType.Q4_0)) {
      Backend backend = Backend.best();
      assertThrows(
          BadArgumentException.class, () -> backend.matmul(new float[33], w, new float[2]));
      assertThrows(
          BadArgumentException.class, () -> backend.matmul(new float[32], w, new float[3]));
    }
  }

  @Test
  void refusesClosedWeights() {
    QuantizedMatrix w = QuantizedMatrix.quantize(new float[32], 1, 32, TensorType.Q8_0);
    Backend.best().matmul(new float[32], w, new float[1]);
    w.close();
    w.close();
    assertThrows(
        ClosedException.class, () -> Backend.best().matmul(new float[32], w, new float[1]));
    assertThrows(ClosedException.class, w::dequantize);
  }

  @Test
  void namesWhatExistsWhenABackendIsUnknown() {
    BackendException error = assertThrows(BackendException.class, () -> Backend.of("abacus"));
    assertTrue(error.getMessage().contains("scalar"), error.getMessage());
    assertFalse(Backend.best().explain().isBlank());
  }

  @Test
  void servesManyThreads() throws Exception {
    Backend backend = Backend.best();
    float[] weights = random(96 * 256, 1);
    try (QuantizedMatrix w = QuantizedMatrix.quantize(weights, 96, 256, TensorType.Q4_0);
        ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Future<Boolean>> results = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        float[] x = random(256 * (thread + 1), thread);
        float[] expected = new float[96 * (thread + 1)];
        backend.matmul(x, w, expected);
        Callable<Boolean> work =
            () -> {
              float[] y = new float[expected.length];
              for (int call = 0; call < 200; call++) {
                backend.matmul(x, w, y);
                assertArrayEquals(expected, y);
              }
              return true;
            };
        results.add(pool.submit(work));
      }
      for (Future<Boolean> result : results) {
        assertTrue(result.get());
      }
    }
  }

  private static MemorySegment copy(Arena arena, float[] values) {
    return arena.allocateFrom(JAVA_FLOAT, values);
  }

  private static float[] random(int length, long seed) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  /** Values are below 1: an error of every product and sum of at most one part in 2^23 each. */
  private static float tolerance(int k) {
    return k * k * 0x1p-23f;
  }

  private static float[] product(float[] a, float[] b, int m, int n, int k) {
    float[] c = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int l = 0; l < k; l++) {
          sum += (double) a[i * k + l] * b[l * n + j];
        }
        c[i * n + j] = (float) sum;
      }
    }
    return c;
  }
}
