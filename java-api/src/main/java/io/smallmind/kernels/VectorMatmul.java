package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * y = x · dequant(W)ᵀ on the Vector API. A few rows of activations read packed weights at the speed
 * of memory, with 16-bit integer products; many rows multiply panels of weights decoded to F32.
 */
final class VectorMatmul {
  private static final int L = VectorTile.L;
  private static final int PANEL = VectorTile.PANEL;

  /** Up to this many rows of activations, decoding weights to panels costs more than it gains. */
  private static final int FEW_ROWS = 8;

  /** What a thread needs for a few rows of activations. */
  private static final class Few {
    final VectorActivations[] rows = new VectorActivations[FEW_ROWS];
    final float[] out = new float[4 * VectorLanes.ROWS];
    final float[][] values = new float[FEW_ROWS][];
    float[] weights = new float[0];

    Few() {
      for (int i = 0; i < FEW_ROWS; i++) {
        rows[i] = new VectorActivations();
        values[i] = new float[0];
      }
    }

    void reserveValues(int columns) {
      if (weights.length < columns) {
        weights = new float[columns];
        for (int i = 0; i < FEW_ROWS; i++) {
          values[i] = new float[columns];
        }
      }
    }
  }

  private static final ThreadLocal<Few> FEW = ThreadLocal.withInitial(Few::new);

  private VectorMatmul() {}

  static void matmul(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    VectorLanes lanes = w.isPacked() ? VectorLanes.of(w.type()) : null;
    if (xRowEnd - xRowBegin > FEW_ROWS) {
      manyRows(x, xRowBegin, xRowEnd, w, lanes, wRowBegin, wRowEnd, y);
    } else if (lanes != null) {
      fewRowsPacked(x, xRowBegin, (int) (xRowEnd - xRowBegin), w, lanes, wRowBegin, wRowEnd, y);
    } else {
      fewRowsStored(x, xRowBegin, (int) (xRowEnd - xRowBegin), w, wRowBegin, wRowEnd, y);
    }
  }

  // ---- A few rows of activations

  /**
   * Multiplies row by row of activations: all but the first read the group of weights from the
   * cache. Loops over several rows at once gain little, and C2 doesn't keep all their vectors in
   * registers.
   */
  private static void fewRowsPacked(
      Activations x,
      long xRow,
      int rows,
      PackedWeights w,
      VectorLanes lanes,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    Few few = FEW.get();
    VectorActivations[] in = few.rows;
    for (int i = 0; i < rows; i++) {
      in[i].load(x, xRow + i);
    }
    int blocks = (int) (w.columns() / lanes.blockLength());
    for (long row = wRowBegin; row < wRowEnd; row += VectorLanes.ROWS) {
      long offset = row / VectorLanes.ROWS * lanes.groupBytes(w.columns());
      int columns = (int) Math.min(VectorLanes.ROWS, wRowEnd - row);
      for (int i = 0; i < rows; i++) {
        lanes.multiply(in[i], w.segment(), offset, blocks, few.out);
        MemorySegment.copy(
            few.out,
            0,
            y.segment(),
            JAVA_FLOAT_UNALIGNED,
            y.rowOffset(xRow + i) + 4 * row,
            columns);
      }
    }
  }

  private static void fewRowsStored(
      Activations x, long xRow, int rows, PackedWeights w, long wRowBegin, long wRowEnd, Matrix y) {
    Few few = FEW.get();
    TensorType type = w.type();
    int columns = (int) w.columns();
    few.reserveValues(columns);
    for (int i = 0; i < rows; i++) {
      loadValues(x, xRow + i, type, 0, columns, few.values[i], 0);
    }
    Codec codec = type.codec();
    for (long row = wRowBegin; row < wRowEnd; row++) {
      codec.decode(w.segment(), row * w.rowStride(), few.weights, 0, columns);
      for (int i = 0; i < rows; i++) {
        y.segment()
            .set(
                JAVA_FLOAT_UNALIGNED,
                y.rowOffset(xRow + i) + 4 * row,
                dot(few.values[i], few.weights, columns));
      }
    }
  }

  private static float dot(float[] a, float[] b, int length) {
    FloatVector s0 = FloatVector.zero(VectorTile.S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i <= length - 4 * L; i += 4 * L) {
      s0 = vector(a, i).fma(vector(b, i), s0);
      s1 = vector(a, i + L).fma(vector(b, i + L), s1);
      s2 = vector(a, i + 2 * L).fma(vector(b, i + 2 * L), s2);
      s3 = vector(a, i + 3 * L).fma(vector(b, i + 3 * L), s3);
    }
    for (; i <= length - L; i += L) {
      s0 = vector(a, i).fma(vector(b, i), s0);
    }
    float sum = s0.add(s1).add(s2.add(s3)).reduceLanes(VectorOperators.ADD);
    for (; i < length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static FloatVector vector(float[] values, int index) {
    return FloatVector.fromArray(VectorTile.S, values, index);
  }

  /** Takes what a matmul with weights of a type means by activations. */
  private static void loadValues(
      Activations x, long row, TensorType type, long column, int length, float[] out, int to) {
    if (type.isQuantized()) {
      VectorActivations.dequantize(x, row, column, length, out, to);
    } else {
      Matrix source = x.source();
      MemorySegment.copy(
          source.segment(),
          JAVA_FLOAT_UNALIGNED,
          source.rowOffset(row) + 4 * column,
          out,
          to,
          length);
    }
  }

  // ---- Many rows of activations

  private static void manyRows(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      @Nullable VectorLanes lanes,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    VectorTile tile = VectorTile.ofThread();
    long k = w.columns();
    for (long j = wRowBegin; j < wRowEnd; j += VectorTile.COLUMNS) {
      int columns = (int) Math.min(VectorTile.COLUMNS, wRowEnd - j);
      for (long p = 0; p < k; p += VectorTile.DEPTH) {
        int depth = (int) Math.min(VectorTile.DEPTH, k - p);
        if (lanes != null) {
          loadPanels(tile, w, lanes, j, columns, p, depth);
        } else {
          loadStoredPanels(tile, w, j, columns, p, depth);
        }
        for (long i = xRowBegin; i < xRowEnd; i += VectorTile.ROWS) {
          int rows = (int) Math.min(VectorTile.ROWS, xRowEnd - i);
          for (int row = 0; row < rows; row++) {
            loadValues(x, i + row, w.type(), p, depth, tile.left, row * VectorTile.LEFT_STRIDE);
          }
          for (int q = 0; q < columns; q += PANEL) {
            tile.multiply(
                rows,
                q / PANEL,
                Math.min(PANEL, columns - q),
                depth,
                1,
                p == 0 ? 0 : 1,
                y.segment(),
                y.rowOffset(i) + 4 * (j + q),
                y.rowStride());
          }
        }
      }
    }
  }

  private static void loadPanels(
      VectorTile tile, PackedWeights w, VectorLanes lanes, long j, int columns, long p, int depth) {
    long skip = p / lanes.blockLength() * lanes.blockBytes();
    for (int q = 0; q < columns; q += PANEL) {
      long group = (j + q) / VectorLanes.ROWS * lanes.groupBytes(w.columns());
      lanes.decode(w.segment(), group + skip, depth / lanes.blockLength(), tile.right, q * depth);
    }
  }

  private static void loadStoredPanels(
      VectorTile tile, PackedWeights w, long j, int columns, long p, int depth) {
    Codec codec = w.type().codec();
    long skip = w.type().rowBytes(p);
    float[] right = tile.right;
    float[] line = tile.line;
    for (int column = 0; column < columns; column++) {
      codec.decode(w.segment(), (j + column) * w.rowStride() + skip, line, 0, depth);
      int to = column / PANEL * depth * PANEL + column % PANEL;
      for (int q = 0; q < depth; q++) {
        right[to + q * PANEL] = line[q];
      }
    }
  }
}
