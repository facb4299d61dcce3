package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Quantization of activations and y = x · dequant(W)ᵀ in plain Java: weights are decoded to F32 by
 * their codec, activations become d · q in F32, and the sums run as {@link ScalarTile} says.
 *
 * <p>A row of quantized activations: the integers, one byte each, in whole blocks; then one F32
 * scale per block; then padding to 64 bytes.
 */
final class ScalarMatmul {
  private static final int BLOCK = Kernels.ACTIVATION_BLOCK;

  private ScalarMatmul() {}

  private static long blocks(long columns) {
    return (columns + BLOCK - 1) / BLOCK;
  }

  static long activationRowBytes(long columns) {
    return (blocks(columns) * (BLOCK + 4) + 63) / 64 * 64;
  }

  static void quantize(Activations x, long rowBegin, long rowEnd) {
    Matrix source = x.source();
    MemorySegment target = x.quantized();
    long columns = source.columns();
    float[] block = ScalarTile.ofThread().decoded;
    for (long row = rowBegin; row < rowEnd; row++) {
      long integers = x.quantizedRowOffset(row);
      long scales = integers + blocks(columns) * BLOCK;
      for (long p = 0; p < columns; p += BLOCK, integers += BLOCK, scales += 4) {
        int length = (int) Math.min(BLOCK, columns - p);
        Arrays.fill(block, 0, BLOCK, 0);
        MemorySegment.copy(
            source.segment(),
            JAVA_FLOAT_UNALIGNED,
            source.rowOffset(row) + 4 * p,
            block,
            0,
            length);
        target.set(JAVA_FLOAT_UNALIGNED, scales, quantizeBlock(block, target, integers));
      }
    }
  }

  /** Writes the integers of a block and returns its scale. */
  private static float quantizeBlock(float[] block, MemorySegment target, long offset) {
    float max = 0;
    for (int i = 0; i < BLOCK; i++) {
      max = Math.max(max, Math.abs(block[i])); // NaN stays
    }
    boolean finite = max <= Float.MAX_VALUE;
    float inverse = finite && max >= Kernels.ACTIVATION_TINY ? 127 / max : 0;
    for (int i = 0; i < BLOCK; i++) {
      float scaled = finite ? block[i] * inverse : 0;
      target.set(JAVA_BYTE, offset + i, (byte) Math.rint(scaled));
    }
    return !finite ? Float.NaN : inverse == 0 ? 0 : max / 127;
  }

  static void matmul(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    ScalarTile tile = ScalarTile.ofThread();
    long k = w.columns();
    for (long j = wRowBegin; j < wRowEnd; j += ScalarTile.COLUMNS) {
      int columns = (int) Math.min(ScalarTile.COLUMNS, wRowEnd - j);
      for (long i = xRowBegin; i < xRowEnd; i += ScalarTile.ROWS) {
        int rows = (int) Math.min(ScalarTile.ROWS, xRowEnd - i);
        tile.clear(rows);
        for (long p = 0; p < k; p += ScalarTile.CARRY) {
          int depth = (int) Math.min(ScalarTile.CARRY, k - p);
          decode(w, j, columns, p, depth, tile.decoded);
          for (int q = 0; q < depth; q += ScalarTile.DEPTH) {
            int slice = Math.min(ScalarTile.DEPTH, depth - q);
            loadLeft(tile, w.type(), x, i, rows, p + q, slice);
            loadRight(tile, columns, q, slice);
            tile.multiply(rows, columns);
          }
          tile.carry(rows);
        }
        for (int row = 0; row < rows; row++) {
          MemorySegment.copy(
              tile.total[row],
              0,
              y.segment(),
              JAVA_FLOAT_UNALIGNED,
              y.rowOffset(i + row) + 4 * j,
              columns);
        }
      }
    }
  }

  /** Decodes columns p to p + depth of weight rows from j on. */
  private static void decode(
      PackedWeights w, long j, int rows, long p, int depth, float[] decoded) {
    Codec codec = w.type().codec();
    long skip = w.type().rowBytes(p);
    for (int row = 0; row < rows; row++) {
      long offset = (j + row) * w.rowStride() + skip;
      codec.decode(w.segment(), offset, decoded, row * ScalarTile.CARRY, depth);
    }
  }

  private static void loadLeft(
      ScalarTile tile, TensorType type, Activations x, long i, int rows, long p, int depth) {
    float[] left = tile.left;
    if (depth < ScalarTile.DEPTH) {
      Arrays.fill(left, 0);
    }
    for (int row = 0; row < rows; row++) {
      int to = row * ScalarTile.DEPTH;
      if (type.isQuantized()) {
        dequantize(x, i + row, p, left, to);
      } else {
        Matrix source = x.source();
        MemorySegment.copy(
            source.segment(),
            JAVA_FLOAT_UNALIGNED,
            source.rowOffset(i + row) + 4 * p,
            left,
            to,
            depth);
        if (type == TensorType.BF16) {
          Bf16.round(left, to, depth);
        }
      }
    }
  }

  /** Returns the block of activations that begins at column p to F32. */
  private static void dequantize(Activations x, long row, long p, float[] out, int index) {
    MemorySegment quantized = x.quantized();
    long integers = x.quantizedRowOffset(row);
    long scales = integers + blocks(x.source().columns()) * BLOCK;
    float d = quantized.get(JAVA_FLOAT_UNALIGNED, scales + p / BLOCK * 4);
    for (int q = 0; q < BLOCK; q++) {
      out[index + q] = d * quantized.get(JAVA_BYTE, integers + p + q);
    }
  }

  private static void loadRight(ScalarTile tile, int columns, int q, int depth) {
    for (int column = 0; column < columns; column++) {
      int from = column * ScalarTile.CARRY + q;
      for (int r = 0; r < depth; r++) {
        tile.right[r][column] = tile.decoded[from + r];
      }
    }
    for (int r = depth; r < ScalarTile.DEPTH; r++) {
      Arrays.fill(tile.right[r], 0);
    }
  }
}
