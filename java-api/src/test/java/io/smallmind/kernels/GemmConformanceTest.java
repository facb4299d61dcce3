package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** {@link Kernels#gemm} of every implementation against sums in double precision. */
class GemmConformanceTest extends KernelConformance {
  /** Around the multiples of vector lengths and register tiles. */
  private static final int[] SIZES = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 64, 65
  };

  /** From nothing to beyond every blocking of the sums. */
  private static final int[] DEPTHS = {
    0, 1, 2, 3, 4, 7, 8, 16, 17, 31, 33, 64, 100, 257, 521, 1030
  };

  private static final float[][] FACTORS = { // alpha, beta
    {1, 0}, {1, 1}, {0.5f, -2}, {0, 1}, {-1, 0}, {0, 0}
  };

  /** One product; strides in elements are the widths plus the padding. */
  private record Case(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      float beta,
      int padding) {}

  @TestFactory
  Stream<DynamicTest> allSmallShapes() {
    return onEveryBackend(
        kernels -> {
          int turn = 0;
          for (int m : SIZES) {
            for (int i = turn % STEP; i < SIZES.length; i += STEP) {
              int n = SIZES[i];
              float[] factors = FACTORS[turn % FACTORS.length];
              run(
                  kernels,
                  new Case(
                      turn % 2 == 1,
                      turn / 2 % 2 == 1,
                      m,
                      n,
                      DEPTHS[turn % DEPTHS.length],
                      factors[0],
                      factors[1],
                      turn % 3 == 0 ? 0 : 7));
              turn += 5;
            }
            turn++;
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> everyTransposeFactorAndDepth() {
    return onEveryBackend(
        kernels -> {
          for (int transposes = 0; transposes < 4; transposes++) {
            for (float[] factors : FACTORS) {
              for (int k : DEPTHS) {
                run(
                    kernels,
                    new Case(
                        (transposes & 1) != 0,
                        (transposes & 2) != 0,
                        13,
                        37,
                        k,
                        factors[0],
                        factors[1],
                        11));
              }
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> beyondEveryBlock() {
    return onEveryBackend(
        kernels -> {
          for (int transposes = 0; transposes < 4; transposes++) {
            boolean transposeA = (transposes & 1) != 0;
            boolean transposeB = (transposes & 2) != 0;
            run(kernels, new Case(transposeA, transposeB, 211, 67, 1301, 1, 1, 3));
            run(kernels, new Case(transposeA, transposeB, 35, 1103, 129, -0.5f, 0, 5));
            run(kernels, new Case(transposeA, transposeB, 3, 2051, 40, 1, 0, 0));
          }
        });
  }

  private void run(Kernels kernels, Case c) {
    Random random = new Random(c.hashCode());
    int aRows = c.transposeA ? c.k : c.m;
    int aColumns = c.transposeA ? c.m : c.k;
    int bRows = c.transposeB ? c.n : c.k;
    int bColumns = c.transposeB ? c.k : c.n;
    float[][] a = Data.normal(random, aRows, aColumns);
    float[][] b = Data.normal(random, bRows, bColumns);
    float[][] old = Data.normal(random, c.m, c.n);
    String what = kernels.name() + " " + c;
    try (Guarded left = Guarded.rows(a, aColumns, c.padding);
        Guarded right = Guarded.rows(b, bColumns, c.padding);
        Guarded out =
            c.beta == 0
                ? Guarded.floats((long) c.m * (c.n + c.padding), 0)
                : Guarded.rows(old, c.n, c.padding)) {
      kernels.gemm(
          c.transposeA,
          c.transposeB,
          c.m,
          c.n,
          c.k,
          c.alpha,
          left.withZones(),
          left.offset(),
          aColumns + c.padding,
          right.withZones(),
          right.offset(),
          bColumns + c.padding,
          c.beta,
          out.withZones(),
          out.offset(),
          c.n + c.padding);
      out.check(c.m, c.n, c.padding, 0, c.m, what);
      for (int i = 0; i < c.m; i++) {
        for (int j = 0; j < c.n; j++) {
          double sum = 0;
          double magnitude = 0;
          for (int p = 0; p < c.k; p++) {
            double product =
                (double) (c.transposeA ? a[p][i] : a[i][p]) * (c.transposeB ? b[j][p] : b[p][j]);
            sum += product;
            magnitude += Math.abs(product);
          }
          double kept = c.beta == 0 ? 0 : (double) c.beta * old[i][j];
          assertClose(
              c.alpha * sum + kept,
              out.get((long) i * (c.n + c.padding) + j),
              Math.abs(c.alpha) * magnitude * sumBound(c.k) + 4 * U * Math.abs(kept),
              what + " at " + i + ", " + j);
        }
      }
    }
    count(kernels);
  }

  @TestFactory
  Stream<DynamicTest> notANumberSpreads() {
    return onEveryBackend(
        kernels -> {
          try (Guarded a = Guarded.of(1, Float.NaN, 2, 3);
              Guarded b = Guarded.of(1, 2, 0, 0);
              Guarded c = Guarded.floats(4, 0)) {
            kernels.gemm(
                false,
                false,
                2,
                2,
                2,
                1,
                a.segment(),
                0,
                2,
                b.segment(),
                0,
                2,
                0,
                c.segment(),
                0,
                2);
            assertEquals(Float.NaN, c.get(0), kernels.name());
            assertEquals(Float.NaN, c.get(1), kernels.name());
            assertEquals(2, c.get(2), kernels.name());
            assertEquals(4, c.get(3), kernels.name());
            c.check(kernels.name());
          }
          count(kernels);
        });
  }
}
