package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * What adapters add to projections: y += scale · B · (A · x). A · x is so little that every member
 * computes it for itself, rather than wait for others; and in the same order however many rows
 * there are, so that a row gets the same bits alone and among others. Nothing is allocated on the
 * heap.
 *
 * <p>Belongs to one forward pass; not thread-safe beyond that.
 */
final class AdapterPass {
  /** Most projections of the same activations: queries, keys and values. */
  private static final int PROJECTIONS = 3;

  /** Outputs that are added to at once, in the cache. */
  private static final int CHUNK = 1024;

  private final Kernels kernels;
  private final int rows;
  private final int rank;
  private final float[][] hidden; // by member: (projections, rows, rank)
  private final float[][] lines; // by member: outputs
  private final float[][] factors; // by member: a line of B

  /** Prepares for so many rows, and adapters of at most this rank; 0 if there are none. */
  AdapterPass(Kernels kernels, int members, int rows, int rank) {
    this.kernels = kernels;
    this.rows = rows;
    this.rank = rank;
    hidden = new float[members][PROJECTIONS * rows * rank];
    lines = new float[members][rank == 0 ? 0 : CHUNK];
    factors = new float[members][rank == 0 ? 0 : CHUNK];
  }

  /** Computes A · x of some rows for the adapters of projections. */
  void begin(int member, Projection[] projections, Activations x, int rowBegin, int rowEnd) {
    for (int index = 0; index < projections.length; index++) {
      Projection.Adapter adapter = projections[index].adapter();
      if (adapter != null) {
        LoraAdapter.Delta delta = adapter.delta();
        Matrix in = x.source();
        float[] out = hidden[member];
        for (int row = rowBegin; row < rowEnd; row++) {
          int at = (index * rows + row) * rank;
          for (int i = 0; i < delta.rank(); i++) {
            long line = 4L * i * delta.inputs();
            out[at + i] =
                delta.scale()
                    * kernels.dot(in.segment(), in.rowOffset(row), delta.a(), line, delta.inputs());
          }
        }
      }
    }
  }

  /** Adds B · (A · x) to a range of the outputs of a projection, for some rows. */
  void add(
      int member,
      int index,
      Projection projection,
      int rowBegin,
      int rowEnd,
      long from,
      long to,
      Matrix y) {
    Projection.Adapter adapter = projection.adapter();
    if (adapter == null) {
      return;
    }
    for (int row = rowBegin; row < rowEnd; row++) {
      for (long begin = from; begin < to; begin += CHUNK) {
        int length = (int) Math.min(CHUNK, to - begin);
        int at = (index * rows + row) * rank;
        add(member, adapter, at, begin, length, y.segment(), y.rowOffset(row) + 4 * begin);
      }
    }
  }

  private void add(
      int member,
      Projection.Adapter adapter,
      int at,
      long begin,
      int length,
      MemorySegment y,
      long offset) {
    LoraAdapter.Delta delta = adapter.delta();
    float[] sum = lines[member];
    float[] line = factors[member];
    MemorySegment.copy(y, JAVA_FLOAT, offset, sum, 0, length);
    for (int i = 0; i < delta.rank(); i++) {
      float factor = hidden[member][at + i];
      long first = (long) i * delta.outputs() + adapter.firstOutput() + begin;
      MemorySegment.copy(delta.b(), JAVA_FLOAT, 4 * first, line, 0, length);
      for (int j = 0; j < length; j++) {
        sum[j] += factor * line[j];
      }
    }
    MemorySegment.copy(sum, 0, y, JAVA_FLOAT, offset, length);
  }
}
