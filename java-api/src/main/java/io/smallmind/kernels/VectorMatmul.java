package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.OffHeap;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * y = x · dequant(W)ᵀ on the Vector API. A few rows of activations read packed weights at the speed
 * of memory, with 16-bit integer products; many rows multiply panels, of weights unpacked to 16-bit
 * integers ({@link VectorIntegerMatmul}) or, where those have 8 bits or are floats, decoded to F32.
 */
final class VectorMatmul {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;
  private static final int PANEL = VectorTile.PANEL;

  /** Up to this many rows of activations, decoding weights to panels costs more than it gains. */
  static final int FEW_ROWS = 8;

  /** What a thread needs. */
  private static final class Scratch {
    final VectorActivations[] rows = new VectorActivations[FEW_ROWS];
    final MemorySegment[] out = new MemorySegment[FEW_ROWS];
    final VectorScales scales = new VectorScales();
    final float[][] values = new float[FEW_ROWS][];
    final float[] lanes = new float[L];
    float[] weights = new float[0];

    Scratch() {
      long rowBytes = 4L * VectorLanes.ROWS;
      MemorySegment sums = Arena.ofAuto().allocate(FEW_ROWS * rowBytes, 64);
      for (int i = 0; i < FEW_ROWS; i++) {
        rows[i] = new VectorActivations();
        out[i] = sums.asSlice(i * rowBytes, rowBytes);
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

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

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
    boolean many = xRowEnd - xRowBegin > FEW_ROWS;
    if (many && lanes != null && VectorIntegerMatmul.takes(lanes.format)) {
      VectorIntegerMatmul.matmul(x, xRowBegin, xRowEnd, w, lanes, wRowBegin, wRowEnd, y);
    } else if (many) {
      manyRows(x, xRowBegin, xRowEnd, w, lanes, wRowBegin, wRowEnd, y);
    } else if (lanes != null) {
      fewRowsPacked(x, xRowBegin, (int) (xRowEnd - xRowBegin), w, lanes, wRowBegin, wRowEnd, y);
    } else if (w.isPacked()) {
      VectorFloatMatmul.matmul(x, xRowBegin, (int) (xRowEnd - xRowBegin), w, wRowBegin, wRowEnd, y);
    } else {
      fewRowsStored(x, xRowBegin, (int) (xRowEnd - xRowBegin), w, wRowBegin, wRowEnd, y);
    }
  }

  // ---- A few rows of activations

  /** Multiplies chunk by chunk: all rows of activations but the first read it from the cache. */
  private static void fewRowsPacked(
      Activations x,
      long xRow,
      int rows,
      PackedWeights w,
      VectorLanes lanes,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    Scratch scratch = SCRATCH.get();
    for (int i = 0; i < rows; i++) {
      scratch.rows[i].load(x, xRow + i, lanes.format);
    }
    for (long row = wRowBegin; row < wRowEnd; row += VectorLanes.ROWS) {
      multiplyGroup(
          scratch, rows, w, lanes, row / VectorLanes.ROWS * lanes.groupBytes(w.columns()));
      int columns = (int) Math.min(VectorLanes.ROWS, wRowEnd - row);
      for (int i = 0; i < rows; i++) {
        MemorySegment.copy(
            scratch.out[i], 0, y.segment(), y.rowOffset(xRow + i) + 4 * row, 4L * columns);
      }
    }
  }

  private static void multiplyGroup(
      Scratch scratch, int rows, PackedWeights w, VectorLanes lanes, long offset) {
    for (int i = 0; i < rows; i++) {
      scratch.out[i].fill((byte) 0);
    }
    int k = (int) w.columns();
    long at = offset;
    for (int column = 0; column < k; column += VectorLanes.CHUNK) {
      int columns = Math.min(VectorLanes.CHUNK, k - column);
      scratch.scales.load(lanes.format, w.segment(), at, columns);
      long integers = at + lanes.headBytes(columns);
      for (int i = 0; i < rows; i++) {
        VectorDots.add(
            lanes.format,
            w.segment(),
            integers,
            scratch.rows[i],
            column,
            columns,
            scratch.scales,
            scratch.out[i]);
      }
      at += lanes.groupBytes(columns);
    }
  }

  private static void fewRowsStored(
      Activations x, long xRow, int rows, PackedWeights w, long wRowBegin, long wRowEnd, Matrix y) {
    Scratch scratch = SCRATCH.get();
    TensorType type = w.type();
    int columns = (int) w.columns();
    scratch.reserveValues(columns);
    for (int i = 0; i < rows; i++) {
      loadValues(x, xRow + i, type, 0, columns, scratch.values[i], 0);
    }
    for (long row = wRowBegin; row < wRowEnd; row++) {
      long offset = row * w.rowStride();
      if (type != TensorType.F32) {
        decode(w, offset, scratch.weights, columns);
      }
      for (int i = 0; i < rows; i++) {
        float[] values = scratch.values[i];
        float sum =
            type == TensorType.F32
                ? dot(values, w.segment(), offset, columns, scratch.lanes)
                : dot(values, scratch.weights, columns, scratch.lanes);
        y.segment().set(JAVA_FLOAT_UNALIGNED, y.rowOffset(xRow + i) + 4 * row, sum);
      }
    }
  }

  /** Decodes a part of a stored row. */
  private static void decode(PackedWeights w, long offset, float[] out, int length) {
    switch (w.type()) {
      case F16 -> VectorHalves.fromF16(w.segment(), offset, out, 0, length);
      case BF16 -> VectorHalves.fromBf16(w.segment(), offset, out, 0, length);
      default -> w.type().codec().decode(w.segment(), offset, out, 0, length);
    }
  }

  private static float dot(float[] a, float[] b, int length, float[] lanes) {
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = FloatVector.zero(S);
    FloatVector s2 = FloatVector.zero(S);
    FloatVector s3 = FloatVector.zero(S);
    int i = 0;
    for (; i <= length - 4 * L; i += 4 * L) {
      s0 = FloatVector.fromArray(S, a, i).fma(FloatVector.fromArray(S, b, i), s0);
      s1 = FloatVector.fromArray(S, a, i + L).fma(FloatVector.fromArray(S, b, i + L), s1);
      s2 = FloatVector.fromArray(S, a, i + 2 * L).fma(FloatVector.fromArray(S, b, i + 2 * L), s2);
      s3 = FloatVector.fromArray(S, a, i + 3 * L).fma(FloatVector.fromArray(S, b, i + 3 * L), s3);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    float sum = VectorTile.sum(lanes, 0);
    for (; i < length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** Multiplies with stored F32, at its offset in bytes. */
  private static float dot(float[] a, MemorySegment w, long offset, int length, float[] lanes) {
    w = OffHeap.of(w);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = FloatVector.zero(S);
    FloatVector s2 = FloatVector.zero(S);
    FloatVector s3 = FloatVector.zero(S);
    int i = 0;
    for (; i <= length - 4 * L; i += 4 * L) {
      long at = offset + 4L * i;
      FloatVector b0 = FloatVector.fromMemorySegment(S, w, at, LITTLE_ENDIAN);
      FloatVector b1 = FloatVector.fromMemorySegment(S, w, at + 4L * L, LITTLE_ENDIAN);
      FloatVector b2 = FloatVector.fromMemorySegment(S, w, at + 8L * L, LITTLE_ENDIAN);
      FloatVector b3 = FloatVector.fromMemorySegment(S, w, at + 12L * L, LITTLE_ENDIAN);
      s0 = FloatVector.fromArray(S, a, i).fma(b0, s0);
      s1 = FloatVector.fromArray(S, a, i + L).fma(b1, s1);
      s2 = FloatVector.fromArray(S, a, i + 2 * L).fma(b2, s2);
      s3 = FloatVector.fromArray(S, a, i + 3 * L).fma(b3, s3);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    float sum = VectorTile.sum(lanes, 0);
    for (; i < length; i++) {
      sum += a[i] * w.get(JAVA_FLOAT_UNALIGNED, offset + 4L * i);
    }
    return sum;
  }

  /** Takes what a matmul with weights of a type means by activations. */
  static void loadValues(
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
      if (type == TensorType.BF16) {
        VectorHalves.roundToBf16(out, to, length);
      }
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
        } else if (w.isPacked()) {
          loadFloatPanels(tile, w, j, columns, p, depth);
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
    Scratch scratch = SCRATCH.get();
    for (int q = 0; q < columns; q += PANEL) {
      long group = (j + q) / VectorLanes.ROWS * lanes.groupBytes(w.columns());
      long at = group + lanes.groupBytes(p);
      for (int i = 0; i < depth; i += VectorLanes.CHUNK) {
        int length = Math.min(VectorLanes.CHUNK, depth - i);
        scratch.scales.load(lanes.format, w.segment(), at, length);
        VectorPanels.decode(
            w.segment(),
            at + lanes.headBytes(length),
            length,
            scratch.scales.scale,
            tile.right,
            q * depth + i * PANEL);
        at += lanes.groupBytes(length);
      }
    }
  }

  private static void loadFloatPanels(
      VectorTile tile, PackedWeights w, long j, int columns, long p, int depth) {
    long skip = VectorFloats.columnBytes(w.type(), p);
    long groupBytes = VectorFloats.groupBytes(w.type(), w.columns());
    for (int q = 0; q < columns; q += PANEL) {
      long at = (j + q) / VectorLanes.ROWS * groupBytes + skip;
      // Columns that are filled up are overwritten by the next panel, or lie behind the last.
      VectorFloats.decode(w.type(), w.segment(), at, depth, tile.right, q * depth);
    }
  }

  private static void loadStoredPanels(
      VectorTile tile, PackedWeights w, long j, int columns, long p, int depth) {
    long skip = w.type().rowBytes(p);
    float[] right = tile.right;
    float[] line = tile.line;
    for (int column = 0; column < columns; column++) {
      decode(w, (j + column) * w.rowStride() + skip, line, depth);
      int to = column / PANEL * depth * PANEL + column % PANEL;
      for (int q = 0; q < depth; q++) {
        right[to + q * PANEL] = line[q];
      }
    }
  }
}
