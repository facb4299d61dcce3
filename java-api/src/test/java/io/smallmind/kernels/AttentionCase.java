package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/**
 * A shape of attention to test.
 *
 * @param position of the first row
 * @param window positions that a row sees, or 0 for all
 */
record AttentionCase(
    TensorType type,
    int headDim,
    int kvHeads,
    int group,
    int position,
    int rows,
    int window,
    float softCap) {
  static final List<TensorType> TYPES = List.of(TensorType.F16, TensorType.Q8_0, TensorType.F32);

  /** Rows of queries and results lie so many values apart. */
  private static final int GAP = 3;

  /** The layer of {@link #LAYERS} that is used. */
  private static final int LAYER = 1;

  private static final int LAYERS = 2;

  int positions() {
    return position + rows;
  }

  int queryColumns() {
    return kvHeads * group * headDim;
  }

  float scale() {
    return (float) (1 / Math.sqrt(headDim));
  }

  /** Keys and values of all positions, queries and results; what is not stored is NaN. */
  final class Buffers implements AutoCloseable {
    final float[][] keys; // (positions, kvHeads · headDim)
    final float[][] values;
    final float[][] queries; // (rows, heads · headDim)
    private final Guarded k;
    private final Guarded v;
    private final Guarded q;
    private Guarded out;
    private final Matrix kMatrix;
    private final Matrix vMatrix;
    private final Matrix qMatrix;
    private Matrix outMatrix;
    private final KvPages pages = new KvPages(type, LAYERS, kvHeads, headDim);

    Buffers(Random random) {
      this(random, -1, -1, -1);
    }

    /** Puts a NaN into the keys, one into the values, one into the queries, at places from 0 on. */
    Buffers(Random random, int nanKey, int nanValue, int nanQuery) {
      int columns = kvHeads * headDim;
      keys = Data.normal(random, positions(), columns);
      values = Data.normal(random, positions(), columns);
      queries = Data.normal(random, rows, queryColumns());
      if (nanKey >= 0) {
        keys[nanKey / columns][nanKey % columns] = Float.NaN;
      }
      if (nanValue >= 0) {
        values[nanValue / columns][nanValue % columns] = Float.NaN;
      }
      if (nanQuery >= 0) {
        queries[nanQuery / queryColumns()][nanQuery % queryColumns()] = Float.NaN;
      }
      k = Guarded.rows(keys, columns, GAP);
      v = Guarded.rows(values, columns, GAP);
      q = Guarded.rows(queries, queryColumns(), GAP);
      out = Guarded.floats((long) rows * (queryColumns() + GAP), 0);
      kMatrix = k.matrix(positions(), columns, GAP);
      vMatrix = v.matrix(positions(), columns, GAP);
      qMatrix = q.matrix(rows, queryColumns(), GAP);
      outMatrix = out.matrix(rows, queryColumns(), GAP);
      pages.reserve(positions());
      for (long at = 0; at < pages.capacity(); at += KvPages.PAGE_LENGTH) {
        pages.page((int) (at / KvPages.PAGE_LENGTH)).fill((byte) -1);
      }
    }

    void store(Kernels kernels, int begin, int end) {
      kernels.storeKeyValue(kMatrix, vMatrix, begin, end, begin, pages, LAYER, 0, kvHeads);
    }

    void attend(Kernels kernels, int rowBegin, int rowEnd, int headBegin, int headEnd) {
      kernels.attention(
          qMatrix,
          rowBegin,
          rowEnd,
          position + rowBegin,
          pages,
          LAYER,
          headBegin,
          headEnd,
          scale(),
          softCap,
          window,
          outMatrix);
    }

    /** Returns the results so far, which must lie where they belong, and makes room for others. */
    float[][] take(String what) {
      out.check(rows, queryColumns(), GAP, 0, rows, what);
      float[][] results = new float[rows][queryColumns()];
      for (int row = 0; row < rows; row++) {
        long first = outMatrix.rowOffset(row);
        MemorySegment.copy(outMatrix.segment(), JAVA_FLOAT, first, results[row], 0, queryColumns());
      }
      out.close();
      out = Guarded.floats((long) rows * (queryColumns() + GAP), 0);
      outMatrix = out.matrix(rows, queryColumns(), GAP);
      return results;
    }

    /** Returns the bytes of a stored key or value. */
    byte[] stored(boolean value, int at, int head) {
      long offset = value ? pages.valueOffset(LAYER, head) : pages.keyOffset(LAYER, head);
      offset += at % KvPages.PAGE_LENGTH * pages.rowBytes();
      byte[] bytes = new byte[(int) pages.rowBytes()];
      MemorySegment page = pages.page(at / KvPages.PAGE_LENGTH);
      MemorySegment.copy(page, offset, MemorySegment.ofArray(bytes), 0, bytes.length);
      return bytes;
    }

    /** Returns a stored key or value, decoded. */
    float[] decoded(boolean value, int at, int head) {
      byte[] bytes = stored(value, at, head);
      float[] row = new float[headDim];
      try (Guarded memory = Guarded.bytes(bytes.length)) {
        memory.segment().copyFrom(MemorySegment.ofArray(bytes));
        type.codec().decode(memory.segment(), 0, row, 0, headDim);
      }
      return row;
    }

    @Override
    public void close() {
      k.close();
      v.close();
      q.close();
      out.close();
      pages.close();
    }
  }
}
