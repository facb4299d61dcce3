package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention in plain Java: the specification. Each key and value is decoded once for all rows and
 * query heads that read it; the softmax of each is kept as a running maximum, sum and weighted sum.
 */
final class ScalarAttention {
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private ScalarAttention() {}

  /** See {@link Kernels#storeKeyValue}. */
  static void store(
      Matrix k,
      Matrix v,
      long rowBegin,
      long rowEnd,
      long position,
      KvPages kv,
      int layer,
      int kvHeadBegin,
      int kvHeadEnd) {
    int headDim = kv.headDim();
    float[] values = SCRATCH.get().row(headDim);
    Codec codec = kv.type().codec();
    for (long row = rowBegin; row < rowEnd; row++) {
      long at = position + row - rowBegin;
      MemorySegment page = kv.page((int) (at / KvPages.PAGE_LENGTH));
      long slot = at % KvPages.PAGE_LENGTH * kv.rowBytes();
      for (int head = kvHeadBegin; head < kvHeadEnd; head++) {
        long source = 4L * head * headDim;
        MemorySegment.copy(k.segment(), JAVA_FLOAT, k.rowOffset(row) + source, values, 0, headDim);
        codec.encode(values, 0, page, kv.keyOffset(layer, head) + slot, headDim);
        MemorySegment.copy(v.segment(), JAVA_FLOAT, v.rowOffset(row) + source, values, 0, headDim);
        codec.encode(values, 0, page, kv.valueOffset(layer, head) + slot, headDim);
      }
    }
  }

  /** See {@link Kernels#attention}. */
  static void attend(
      Matrix q,
      long rowBegin,
      long rowEnd,
      long position,
      KvPages kv,
      int layer,
      int kvHeadBegin,
      int kvHeadEnd,
      float scale,
      float softCap,
      long window,
      Matrix out) {
    Scratch scratch = SCRATCH.get();
    int headDim = kv.headDim();
    int group = (int) (q.columns() / headDim / kv.kvHeads());
    int rows = (int) (rowEnd - rowBegin);
    for (int kvHead = kvHeadBegin; kvHead < kvHeadEnd; kvHead++) {
      scratch.begin(rows * group, headDim);
      long firstHead = 4L * kvHead * group * headDim;
      for (int row = 0; row < rows; row++) {
        MemorySegment.copy(
            q.segment(),
            JAVA_FLOAT,
            q.rowOffset(rowBegin + row) + firstHead,
            scratch.queries,
            row * group * headDim,
            group * headDim);
      }
      long from = window > 0 ? Math.max(0, position - window + 1) : 0;
      for (long at = from; at < position + rows; at++) {
        scratch.load(kv, layer, kvHead, at);
        // Rows before this position don't see it yet; rows far behind no longer do.
        int first = (int) Math.max(0, at - position);
        int last = (int) (window > 0 ? Math.min(rows, at + window - position) : rows);
        for (int pair = first * group; pair < last * group; pair++) {
          scratch.accumulate(pair, headDim, scale, softCap);
        }
      }
      for (int row = 0; row < rows; row++) {
        scratch.divide(row * group, group, headDim);
        MemorySegment.copy(
            scratch.sums,
            row * group * headDim,
            out.segment(),
            JAVA_FLOAT,
            out.rowOffset(rowBegin + row) + firstHead,
            group * headDim);
      }
    }
  }

  /** One thread's state: each pair of a row and a query head has a running softmax. */
  private static final class Scratch {
    private float[] row = {};
    private float[] key = {};
    private float[] value = {};
    private float[] queries = {}; // (pairs, headDim)
    private float[] sums = {}; // (pairs, headDim): Σ exp(score − max) · value
    private float[] weights = {}; // (pairs): Σ exp(score − max)
    private float[] maxima = {}; // (pairs)

    float[] row(int headDim) {
      if (row.length < headDim) {
        row = new float[headDim];
      }
      return row;
    }

    void begin(int pairs, int headDim) {
      if (queries.length < pairs * headDim || maxima.length < pairs || key.length < headDim) {
        queries = new float[pairs * headDim];
        sums = new float[pairs * headDim];
        weights = new float[pairs];
        maxima = new float[pairs];
        key = new float[headDim];
        value = new float[headDim];
      }
      Arrays.fill(sums, 0, pairs * headDim, 0);
      Arrays.fill(weights, 0, pairs, 0);
      Arrays.fill(maxima, 0, pairs, Float.NEGATIVE_INFINITY);
    }

    void load(KvPages kv, int layer, int kvHead, long position) {
      MemorySegment page = kv.page((int) (position / KvPages.PAGE_LENGTH));
      long slot = position % KvPages.PAGE_LENGTH * kv.rowBytes();
      Codec codec = kv.type().codec();
      codec.decode(page, kv.keyOffset(layer, kvHead) + slot, key, 0, kv.headDim());
      codec.decode(page, kv.valueOffset(layer, kvHead) + slot, value, 0, kv.headDim());
    }

    void accumulate(int pair, int headDim, float scale, float softCap) {
      int offset = pair * headDim;
      float score = 0;
      for (int i = 0; i < headDim; i++) {
        score += queries[offset + i] * key[i];
      }
      score *= scale;
      if (softCap > 0) {
        score = softCap * (float) Math.tanh(score / softCap);
      }
      if (score > maxima[pair]) {
        float shrink = (float) Math.exp(maxima[pair] - score);
        weights[pair] *= shrink;
        for (int i = 0; i < headDim; i++) {
          sums[offset + i] *= shrink;
        }
        maxima[pair] = score;
      }
      float weight = (float) Math.exp(score - maxima[pair]);
      weights[pair] += weight;
      for (int i = 0; i < headDim; i++) {
        sums[offset + i] += weight * value[i];
      }
    }

    void divide(int pair, int pairs, int headDim) {
      for (int each = pair; each < pair + pairs; each++) {
        float inverse = 1 / weights[each];
        for (int i = 0; i < headDim; i++) {
          sums[each * headDim + i] *= inverse;
        }
      }
    }
  }
}
