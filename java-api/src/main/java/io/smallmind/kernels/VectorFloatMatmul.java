package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A few rows of activations times packed floats. One row multiplies weights on their way from
 * memory; several multiply decoded ones in the cache. Either way a result sums its products as
 * {@link VectorTile} does, so that it has the same bits among however many rows.
 */
final class VectorFloatMatmul {
  private static final int ROWS = VectorLanes.ROWS;

  /** Columns decoded at once, which stay in the first-level cache: divides DEPTH. */
  private static final int STEP = 64;

  private static final ThreadLocal<VectorFloatMatmul> OF_THREAD =
      ThreadLocal.withInitial(VectorFloatMatmul::new);

  private final float[] panel = new float[STEP * ROWS];
  private final float[] out = new float[VectorMatmul.FEW_ROWS * ROWS];
  private final float[] sums = new float[VectorMatmul.FEW_ROWS * ROWS]; // over up to DEPTH columns

  /** Activations (rows, stride), each row followed by zeros. */
  private float[] values = {};

  private int stride;

  /** What {@link VectorFloatDots} multiplies, or null if it can't. */
  private float @Nullable [] direct;

  private float[] scaled = {};

  private VectorFloatMatmul() {}

  /** Computes what {@link Kernels#matmul} says, for 1 to FEW_ROWS rows of activations. */
  static void matmul(
      Activations x, long xRow, int rows, PackedWeights w, long wRowBegin, long wRowEnd, Matrix y) {
    VectorFloatMatmul product = OF_THREAD.get();
    product.load(x, xRow, rows, w.type(), (int) w.columns());
    long groupBytes = VectorFloats.groupBytes(w.type(), w.columns());
    for (long row = wRowBegin; row < wRowEnd; row += ROWS) {
      product.multiplyGroup(rows, w, row / ROWS * groupBytes);
      int columns = (int) Math.min(ROWS, wRowEnd - row);
      for (int i = 0; i < rows; i++) {
        MemorySegment.copy(
            product.out,
            i * ROWS,
            y.segment(),
            JAVA_FLOAT_UNALIGNED,
            y.rowOffset(xRow + i) + 4 * row,
            columns);
      }
    }
  }

  private void load(Activations x, long xRow, int rows, TensorType type, int columns) {
    stride = columns + VectorFloats.COLUMNS;
    if (scaled.length < stride) {
      values = new float[VectorMatmul.FEW_ROWS * stride];
      scaled = new float[stride];
    }
    for (int i = 0; i < rows; i++) {
      VectorMatmul.loadValues(x, xRow + i, type, 0, columns, values, i * stride);
      Arrays.fill(values, i * stride + columns, (i + 1) * stride, 0);
    }
    direct = rows > 1 ? null : type != TensorType.F16 ? values : isScaled() ? scaled : null;
  }

  /** Scales the first row for F16; returns false if it has too large values. */
  private boolean isScaled() {
    boolean small = true;
    for (int i = 0; i < stride; i++) {
      small &= Math.abs(values[i]) < VectorFloatDots.F16_LIMIT;
      scaled[i] = values[i] * VectorFloatDots.F16_FACTOR;
    }
    return small;
  }

  private void multiplyGroup(int rows, PackedWeights w, long group) {
    float[] x = VectorFloats.isFinite(w.type(), w.segment(), group, w.columns()) ? direct : null;
    int k = (int) w.columns();
    Arrays.fill(out, 0, rows * ROWS, 0);
    for (int column = 0; column < k; column += VectorTile.DEPTH) {
      int depth = Math.min(VectorTile.DEPTH, k - column);
      Arrays.fill(sums, 0, rows * ROWS, 0);
      if (x != null) {
        long at = group + VectorFloats.columnBytes(w.type(), column);
        VectorFloatDots.add(w.type(), w.segment(), at, x, column, depth, sums);
      } else {
        multiplyDecoded(rows, w, group, column, depth);
      }
      for (int i = 0; i < rows * ROWS; i++) {
        out[i] += sums[i];
      }
    }
  }

  private void multiplyDecoded(int rows, PackedWeights w, long group, int from, int depth) {
    for (int column = from; column < from + depth; column += STEP) {
      int columns = Math.min(STEP, from + depth - column);
      long at = group + VectorFloats.columnBytes(w.type(), column);
      VectorFloats.decode(w.type(), w.segment(), at, columns, panel, 0);
      int row = 0;
      for (; row + 4 <= rows; row += 4) {
        VectorProduct.addFour(
            values, row * stride + column, stride, columns, panel, 0, ROWS, sums, row * ROWS, ROWS);
      }
      for (; row < rows; row++) {
        VectorProduct.addOne(
            values, row * stride + column, columns, panel, 0, ROWS, sums, row * ROWS);
      }
    }
  }
}
