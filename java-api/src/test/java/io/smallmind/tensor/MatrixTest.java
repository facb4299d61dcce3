package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class MatrixTest {
  private static final MemorySegment BYTES_72 = Arena.ofAuto().allocate(72);

  @Test
  void rowsFollowEachOtherUnlessAStrideIsGiven() {
    Matrix dense = Matrix.of(BYTES_72, TensorType.Q4_0, 2, 64);
    assertSame(BYTES_72, dense.segment());
    assertEquals(TensorType.Q4_0, dense.type());
    assertEquals(2, dense.rows());
    assertEquals(64, dense.columns());
    assertEquals(36, dense.rowStride());
    assertEquals(36, dense.rowOffset(1));

    Matrix strided = Matrix.of(BYTES_72, TensorType.Q4_0, 2, 32, 50);
    assertEquals(50, strided.rowOffset(1));
    assertEquals("Q4_0 matrix of 2 × 32", strided.toString());
  }

  @Test
  void theLastRowNeedsNoWholeStride() {
    Matrix.of(BYTES_72, TensorType.Q4_0, 2, 32, 72 - 18);
    assertThrows(
        BadArgumentException.class, () -> Matrix.of(BYTES_72, TensorType.Q4_0, 2, 32, 72 - 17));
  }

  @Test
  void badShapesAreRefused() {
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 3, 7), "84", "72", "3 × 7");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, -1, 4), "rows = -1");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 1, -4), "-4");
    refused(() -> Matrix.of(BYTES_72, TensorType.Q4_0, 1, 33), "33", "32");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 2, 4, 15), "15", "16");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 2, 4, -16), "-16");
  }

  @Test
  void hugeShapesAreRefusedWithoutOverflow() {
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, Long.MAX_VALUE, 4), "too large");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 1L << 62, 1), "too large");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 2, 1, Long.MAX_VALUE - 1), "too large");
    refused(() -> Matrix.of(BYTES_72, TensorType.F32, 1, Long.MAX_VALUE), "too long");
  }

  @Test
  void heapSegmentsAreRefused() {
    refused(() -> Matrix.of(MemorySegment.ofArray(new float[4]), TensorType.F32, 2, 2), "off-heap");
  }

  @Test
  void emptyMatricesNeedNoMemory() {
    MemorySegment nothing = BYTES_72.asSlice(0, 0);
    assertEquals(0, Matrix.of(nothing, TensorType.F32, 0, 7).rows());
    assertEquals(0, Matrix.of(nothing, TensorType.F32, 7, 0).columns());
    Matrix empty = Matrix.of(nothing, TensorType.F32, 0, 7);
    assertEquals(0, empty.rows(0, 0).rows());
    assertEquals(3, empty.columns(4, 7).columns());
  }

  @Test
  void rowRangesShareTheMemory() {
    MemorySegment memory = Arena.ofAuto().allocate(4 * 20, 4);
    Matrix matrix = Matrix.of(memory, TensorType.F32, 4, 3, 20);
    Matrix middle = matrix.rows(1, 3);
    assertEquals(2, middle.rows());
    assertEquals(3, middle.columns());
    assertEquals(20, middle.rowStride());
    memory.set(ValueLayout.JAVA_FLOAT, matrix.rowOffset(2) + 4, 5f);
    assertEquals(5f, middle.segment().get(ValueLayout.JAVA_FLOAT, middle.rowOffset(1) + 4));

    assertEquals(0, matrix.rows(4, 4).rows());
    refused(() -> matrix.rows(-1, 2), "-1");
    refused(() -> matrix.rows(3, 2), "3 to 2");
    refused(() -> matrix.rows(0, 5), "5");
  }

  @Test
  void columnRangesCutNoBlocks() {
    Matrix matrix = Matrix.of(BYTES_72, TensorType.Q4_0, 2, 64);
    Matrix right = matrix.columns(32, 64);
    assertEquals(32, right.columns());
    assertEquals(36, right.rowStride());
    assertEquals(BYTES_72.address() + 18, right.segment().address());
    assertEquals(0, matrix.columns(64, 64).columns());

    refused(() -> matrix.columns(16, 48), "16");
    refused(() -> matrix.columns(0, 33), "33");
    refused(() -> matrix.columns(-32, 32), "-32");
    refused(() -> matrix.columns(32, 96), "96");
    refused(() -> matrix.columns(64, 32), "64 to 32");
  }

  private static void refused(Runnable action, String... parts) {
    BadArgumentException e = assertThrows(BadArgumentException.class, action::run);
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
  }
}
