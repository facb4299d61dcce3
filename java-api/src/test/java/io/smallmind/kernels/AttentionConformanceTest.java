package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Attention of every implementation against double precision, and storing of keys and values
 * against the codecs. A row gets the same bits alone and together with others.
 */
class AttentionConformanceTest extends KernelConformance {
  private static final int[] HEAD_DIMS = {64, 128, 80, 96, 256, 24, 32, 3, 416};
  private static final int[] GROUPS = {1, 4, 3, 8};
  private static final int[] ROWS = {1, 5, 32, 33};
  private static final int[] POSITIONS = {0, 63, 64, 130, 61};
  private static final int[] WINDOWS = {0, 7, 100};

  @TestFactory
  Stream<DynamicTest> shapes() {
    return onEveryBackend(
        kernels -> {
          int number = 0;
          for (TensorType type : AttentionCase.TYPES) {
            for (int headDim : HEAD_DIMS) {
              for (int group : GROUPS) {
                for (int rows : ROWS) {
                  // The other choices go round, each at its own pace.
                  number++;
                  int turn = number / STEP;
                  if (number % STEP == 0
                      && headDim % type.blockLength() == 0
                      && headDim * group * rows < 20_000) {
                    check(
                        kernels,
                        new AttentionCase(
                            type,
                            headDim,
                            1 + turn % 2,
                            group,
                            POSITIONS[turn % POSITIONS.length],
                            rows,
                            WINDOWS[turn % WINDOWS.length],
                            turn % 4 == 0 ? 5 : 0));
                  }
                }
              }
            }
          }
        });
  }

  /** Heads longer than any tile, more query heads than any block, a context of many pages. */
  @TestFactory
  Stream<DynamicTest> extremes() {
    return onEveryBackend(
        kernels -> {
          check(kernels, new AttentionCase(TensorType.F16, 4095, 1, 2, 60, 7, 0, 0));
          check(kernels, new AttentionCase(TensorType.Q8_0, 4128, 1, 1, 3, 2, 0, 0));
          check(kernels, new AttentionCase(TensorType.F16, 32, 1, 150, 30, 3, 20, 0));
          check(kernels, new AttentionCase(TensorType.F16, 64, 1, 2, 1500, 3, 0, 0));
          check(kernels, new AttentionCase(TensorType.Q8_0, 32, 2, 3, 1400, 40, 300, 0));
        });
  }

  private void check(Kernels kernels, AttentionCase shape) {
    String what = kernels.name() + " " + shape;
    try (AttentionCase.Buffers buffers = shape.new Buffers(new Random(shape.hashCode()))) {
      // Each row alone, before any later key or value is there.
      buffers.store(kernels, 0, shape.position());
      for (int row = 0; row < shape.rows(); row++) {
        buffers.store(kernels, shape.position() + row, shape.position() + row + 1);
        buffers.attend(kernels, row, row + 1, 0, shape.kvHeads());
      }
      float[][] alone = buffers.take(what);
      checkStored(shape, buffers, 0, what);
      checkStored(shape, buffers, shape.positions() - 1, what);

      buffers.attend(kernels, 0, shape.rows(), 0, shape.kvHeads());
      float[][] together = buffers.take(what);
      int half = shape.rows() / 2;
      for (int head = 0; head < shape.kvHeads(); head++) {
        buffers.attend(kernels, half, shape.rows(), head, head + 1);
        buffers.attend(kernels, 0, half, head, head + 1);
      }
      float[][] parts = buffers.take(what);
      for (int row = 0; row < shape.rows(); row++) {
        assertArrayEquals(alone[row], together[row], what + ": alone and together");
        assertArrayEquals(parts[row], together[row], what + ": in parts and together");
      }
      checkExactness(shape, buffers, together, what);
    }
    count(kernels);
  }

  /** Keys and values are stored with the bits of the codec. */
  private static void checkStored(
      AttentionCase shape, AttentionCase.Buffers buffers, int position, String what) {
    int headDim = shape.headDim();
    for (int head = 0; head < shape.kvHeads(); head++) {
      for (boolean value : new boolean[] {false, true}) {
        float[] source = (value ? buffers.values : buffers.keys)[position];
        byte[] expected = new byte[(int) shape.type().rowBytes(headDim)];
        try (Guarded memory = Guarded.bytes(expected.length)) {
          shape.type().codec().encode(source, head * headDim, memory.segment(), 0, headDim);
          MemorySegment.ofArray(expected).copyFrom(memory.segment());
        }
        assertArrayEquals(
            expected, buffers.stored(value, position, head), what + ": stored at " + position);
      }
    }
  }

  private static void checkExactness(
      AttentionCase shape, AttentionCase.Buffers buffers, float[][] results, String what) {
    for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
      float[][] keys = new float[shape.positions()][];
      float[][] values = new float[shape.positions()][];
      for (int at = 0; at < shape.positions(); at++) {
        keys[at] = buffers.decoded(false, at, kvHead);
        values[at] = buffers.decoded(true, at, kvHead);
      }
      for (int row = 0; row < shape.rows(); row++) {
        for (int each = 0; each < shape.group(); each++) {
          int first = (kvHead * shape.group() + each) * shape.headDim();
          checkPair(shape, buffers.queries[row], first, row, keys, values, results[row], what);
        }
      }
    }
  }

  /** Checks a query head of a row; the tolerance is what rounding makes of it at most. */
  private static void checkPair(
      AttentionCase shape,
      float[] query,
      int first,
      int row,
      float[][] keys,
      float[][] values,
      float[] result,
      String what) {
    int position = shape.position() + row;
    int begin = shape.window() > 0 ? Math.max(0, position - shape.window() + 1) : 0;
    double[] weights = new double[position + 1 - begin];
    double max = Double.NEGATIVE_INFINITY;
    double error = 0; // of a score
    for (int at = begin; at <= position; at++) {
      double score = 0;
      double size = 0;
      for (int i = 0; i < shape.headDim(); i++) {
        double term = (double) query[first + i] * keys[at][i] * shape.scale();
        score += term;
        size += Math.abs(term);
      }
      error = Math.max(error, sumBound(shape.headDim()) * size);
      if (shape.softCap() > 0) {
        score = shape.softCap() * Math.tanh(score / shape.softCap());
        error = Math.max(error, 8 * U * shape.softCap());
      }
      weights[at - begin] = score;
      max = Math.max(max, score);
    }
    double sum = 0;
    double widest = 0;
    for (int at = 0; at < weights.length; at++) {
      widest = Math.max(widest, max - weights[at]);
      weights[at] = Math.exp(weights[at] - max);
      sum += weights[at];
    }
    // Errors of a score, and of its distance to the maximum, change weights and sum by that factor.
    double factor = 2 * error + 2 * widest * U + 3 * sumBound(weights.length);
    for (int i = 0; i < shape.headDim(); i++) {
      double expected = 0;
      double size = 0;
      for (int at = 0; at < weights.length; at++) {
        double term = weights[at] / sum * values[begin + at][i];
        expected += term;
        size += Math.abs(term);
      }
      assertClose(
          expected, result[first + i], factor * size + Float.MIN_NORMAL, what + " at row " + row);
    }
  }

  /** A value that is not a number stays with those who see it, in its place. */
  @TestFactory
  Stream<DynamicTest> valuesThatAreNotFinite() {
    return onEveryBackend(
        kernels -> {
          AttentionCase shape = new AttentionCase(TensorType.F16, 64, 1, 4, 70, 16, 0, 0);
          try (AttentionCase.Buffers buffers =
              shape.new Buffers(new Random(1), -1, 79 * 64 + 5, -1)) {
            buffers.store(kernels, 0, shape.positions());
            buffers.attend(kernels, 0, shape.rows(), 0, 1);
            float[][] results = buffers.take(kernels.name());
            for (int row = 0; row < shape.rows(); row++) {
              for (int i = 0; i < results[row].length; i++) {
                boolean expected = row >= 9 && i % 64 == 5;
                assertEquals(
                    expected,
                    Float.isNaN(results[row][i]),
                    kernels.name() + " at " + row + ", " + i);
              }
            }
          }
          count(kernels);
        });
  }

  /** What is not a number stays with those who see it. */
  @TestFactory
  Stream<DynamicTest> notFinite() {
    return onEveryBackend(
        kernels -> {
          AttentionCase shape = new AttentionCase(TensorType.F16, 64, 1, 4, 70, 6, 0, 0);
          try (AttentionCase.Buffers buffers =
              shape.new Buffers(new Random(1), 73 * 64 + 5, -1, 2 * 64)) {
            buffers.store(kernels, 0, shape.positions());
            buffers.attend(kernels, 0, shape.rows(), 0, 1);
            float[][] results = buffers.take(kernels.name());
            for (int row = 0; row < shape.rows(); row++) {
              for (int head = 0; head < shape.group(); head++) {
                float[] result = Arrays.copyOfRange(results[row], head * 64, head * 64 + 64);
                for (float value : result) {
                  // The key of row 3, and the query of row 0 and head 2.
                  boolean expected = row >= 3 || (row == 0 && head == 2);
                  assertEquals(expected, Float.isNaN(value), kernels.name() + " at row " + row);
                }
              }
            }
          }
          count(kernels);
        });
  }
}
