package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Values are small whole numbers: every order of summation gives the same result. */
class OpenBlasTest {
  private static final int[] SIZES = {1, 2, 7, 8, 20};

  @BeforeEach
  void library() {
    Natives.require();
    assertTrue(NativeLibrary.get().isLoaded(), NativeLibrary.get().detail());
    assertTrue(OpenBlas.get().isLoaded(), OpenBlas.status());
  }

  @Test
  void saysWhatItIs() {
    assertTrue(OpenBlas.status().matches("FP32 gemm by OpenBLAS \\d+\\.\\d+.*, core .+"));
  }

  @Test
  void splitsDimensionsThatPassItsIntegers() {
    OpenBlas small = new OpenBlas(null, 7);
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : SIZES) {
          for (int transposed = 0; transposed < 4; transposed++) {
            check(small, (transposed & 1) != 0, (transposed & 2) != 0, m, n, k, 0);
            check(small, (transposed & 1) != 0, (transposed & 2) != 0, m, n, k, 3);
          }
        }
      }
    }
  }

  @Test
  void zeroBetaOverwritesWhateverWasThere() {
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : new int[] {0, 1, 8}) {
          check(OpenBlas.get(), false, false, m, n, k, 0);
          check(OpenBlas.get(), true, true, m, n, k, 0);
        }
      }
    }
  }

  @Test
  void emptySumsOnlyScale() {
    check(OpenBlas.get(), false, false, 5, 6, 0, 2);
  }

  /** With beta = 0, C holds NaN before. */
  private static void check(
      OpenBlas openblas, boolean transposeA, boolean transposeB, int m, int n, int k, int beta) {
    // Rows are longer than they need be.
    int lda = (transposeA ? m : k) + 1;
    int ldb = (transposeB ? k : n) + 2;
    int ldc = n + 3;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = values(arena, (transposeA ? k : m) * lda, 11);
      MemorySegment b = values(arena, (transposeB ? n : k) * ldb, 13);
      MemorySegment c = values(arena, m * ldc, 7);
      float[] before = c.toArray(ValueLayout.JAVA_FLOAT);
      if (beta == 0) {
        for (int i = 0; i < m * ldc; i++) {
          c.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
        }
      }
      openblas.gemm(
          transposeA,
          transposeB,
          m,
          n,
          k,
          2,
          a.address(),
          lda,
          b.address(),
          ldb,
          beta,
          c.address(),
          ldc);
      for (int row = 0; row < m; row++) {
        for (int column = 0; column < n; column++) {
          float sum = beta * before[row * ldc + column];
          for (int i = 0; i < k; i++) {
            sum +=
                2
                    * at(a, transposeA ? i * lda + row : row * lda + i)
                    * at(b, transposeB ? column * ldb + i : i * ldb + column);
          }
          // Adding zero makes zeros of both signs equal.
          float actual = at(c, row * ldc + column) + 0f;
          assertEquals(sum + 0f, actual, "row " + row + ", column " + column);
        }
        float padding = at(c, row * ldc + n);
        assertEquals(beta == 0 ? Float.NaN : before[row * ldc + n], padding, "padding");
      }
    }
  }

  private static float at(MemorySegment values, int index) {
    return values.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  private static MemorySegment values(Arena arena, int length, int modulus) {
    MemorySegment values = arena.allocate(4L * length + 4, 4);
    for (int i = 0; i < length; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, i * 5 % modulus - modulus / 2);
    }
    return values;
  }
}
