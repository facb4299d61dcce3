package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Attention on the Vector API. The unit is a pair of a row and a query head. A block of pairs that
 * read the same keys goes through the positions tile by tile; each tile of keys is decoded to
 * floats, turned, and multiplied by all queries, and its values by the weights that come of it.
 *
 * <p>Tiles begin at multiples of a page, and a pair adds what it sees in the order of positions, so
 * that its result has the same bits in whatever block it is computed.
 */
final class VectorAttention {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;

  private static final int TILE = KvPages.PAGE_LENGTH;
  private static final int BLOCK_PAIRS = 128;

  private static final ThreadLocal<VectorAttention> OF_THREAD =
      ThreadLocal.withInitial(VectorAttention::new);

  private int headDim;
  private int group;
  private int padded; // headDim in whole panels
  private float scale;
  private float softCap;

  private int pairs;
  private int firstPair; // of the block
  private long firstPosition; // of the first row
  private long window;
  private long tile; // its first position

  private byte[] bytes = {};
  private short[] halves = {};
  private float[] decoded = {}; // (TILE, headDim)
  private float[] keys = {}; // (headDim, TILE)
  private float[] values = {}; // (TILE, padded)
  private float[] queries = {}; // (pairs, padded)
  private float[] sums = {}; // (pairs, padded): Σ weight · value
  private final float[] scores = new float[BLOCK_PAIRS * TILE]; // then weights
  private final float[] maxima = new float[BLOCK_PAIRS];
  private final float[] totals = new float[BLOCK_PAIRS * L]; // sums of weights, lane by lane
  private final float[] capped = new float[TILE];

  private VectorAttention() {}

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
    VectorAttention attention = OF_THREAD.get();
    attention.begin(kv, (int) (q.columns() / kv.headDim() / kv.kvHeads()), scale, softCap);
    attention.firstPosition = position;
    attention.window = window;
    long pairs = (rowEnd - rowBegin) * attention.group;
    for (int kvHead = kvHeadBegin; kvHead < kvHeadEnd; kvHead++) {
      for (long pair = 0; pair < pairs; pair += BLOCK_PAIRS) {
        attention.firstPair = (int) pair;
        attention.pairs = (int) Math.min(BLOCK_PAIRS, pairs - pair);
        attention.block(q, rowBegin, kv, layer, kvHead, out);
      }
    }
  }

  private void begin(KvPages kv, int group, float scale, float softCap) {
    this.group = group;
    this.scale = scale;
    this.softCap = softCap;
    headDim = kv.headDim();
    padded = (headDim + VectorTile.PANEL - 1) / VectorTile.PANEL * VectorTile.PANEL;
    if (queries.length < BLOCK_PAIRS * padded) {
      queries = new float[BLOCK_PAIRS * padded];
      sums = new float[BLOCK_PAIRS * padded];
      keys = new float[padded * TILE];
      values = new float[padded * TILE];
      decoded = new float[padded * TILE];
      halves = new short[padded * TILE];
    }
    if (bytes.length < TILE * kv.rowBytes()) {
      bytes = new byte[TILE * (int) kv.rowBytes()];
    }
  }

  private void block(Matrix q, long rowBegin, KvPages kv, int layer, int kvHead, Matrix out) {
    for (int pair = 0; pair < pairs; pair++) {
      long at = q.rowOffset(rowBegin + row(pair)) + headOffset(pair, kvHead);
      MemorySegment.copy(q.segment(), JAVA_FLOAT_UNALIGNED, at, queries, pair * padded, headDim);
    }
    Arrays.fill(sums, 0, pairs * padded, 0);
    Arrays.fill(totals, 0, pairs * L, 0);
    Arrays.fill(maxima, 0, pairs, Float.NEGATIVE_INFINITY);
    long end = firstPosition + row(pairs - 1) + 1;
    for (tile = begin(0) / TILE * TILE; tile < end; tile += TILE) {
      MemorySegment page = kv.page((int) (tile / TILE));
      loadKeys(kv, page, kv.keyOffset(layer, kvHead));
      score();
      for (int pair = 0; pair < pairs; pair++) {
        weigh(pair);
      }
      loadValues(kv, page, kv.valueOffset(layer, kvHead));
      addValues();
    }
    for (int pair = 0; pair < pairs; pair++) {
      // In a fixed order, which reduceLanes does not promise.
      float total = 0;
      for (int lane = 0; lane < L; lane++) {
        total += totals[pair * L + lane];
      }
      multiply(pair, 1 / total);
      long at = out.rowOffset(rowBegin + row(pair)) + headOffset(pair, kvHead);
      MemorySegment.copy(sums, pair * padded, out.segment(), JAVA_FLOAT_UNALIGNED, at, headDim);
    }
  }

  private int row(int pair) {
    return (firstPair + pair) / group;
  }

  /** Returns the place of a pair's query in its row, in bytes. */
  private long headOffset(int pair, int kvHead) {
    return 4L * headDim * ((long) kvHead * group + (firstPair + pair) % group);
  }

  /** Returns the first position that a pair sees. */
  private long begin(int pair) {
    return window > 0 ? Math.max(0, firstPosition + row(pair) - window + 1) : 0;
  }

  /** Returns the first position of the tile that a pair sees; may lie behind {@link #to}. */
  private int from(int pair) {
    return (int) Math.clamp(begin(pair) - tile, 0, TILE);
  }

  /** Returns the position of the tile behind the last that a pair sees. */
  private int to(int pair) {
    return (int) Math.clamp(firstPosition + row(pair) + 1 - tile, 0, TILE);
  }

  // ---- Decoding

  private void loadKeys(KvPages kv, MemorySegment page, long offset) {
    int from = from(0);
    int count = to(pairs - 1) - from;
    decode(kv, page, offset + from * kv.rowBytes(), count * headDim);
    turn(decoded, keys, from, count, headDim);
  }

  private static void turn(float[] rows, float[] columns, int from, int count, int length) {
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < length; i++) {
        columns[i * TILE + from + row] = rows[row * length + i];
      }
    }
  }

  private void loadValues(KvPages kv, MemorySegment page, long offset) {
    int from = from(0);
    int count = to(pairs - 1) - from;
    decode(kv, page, offset + from * kv.rowBytes(), count * headDim);
    if (padded == headDim) {
      System.arraycopy(decoded, 0, values, from * padded, count * headDim);
      return;
    }
    for (int row = 0; row < count; row++) {
      System.arraycopy(decoded, row * headDim, values, (from + row) * padded, headDim);
    }
  }

  /** Decodes consecutive rows. */
  private void decode(KvPages kv, MemorySegment page, long offset, int length) {
    switch (kv.type()) {
      case F16 -> {
        MemorySegment.copy(page, JAVA_SHORT_UNALIGNED, offset, halves, 0, length);
        VectorDecoder.f16(halves, decoded, length);
      }
      case Q8_0 -> {
        MemorySegment.copy(page, JAVA_BYTE, offset, bytes, 0, (int) kv.type().rowBytes(length));
        VectorDecoder.q8(bytes, decoded, length);
      }
      default -> MemorySegment.copy(page, JAVA_FLOAT_UNALIGNED, offset, decoded, 0, length);
    }
  }

  // ---- The three steps of a tile

  private void score() {
    Arrays.fill(scores, 0, pairs * TILE, 0);
    int pair = 0;
    for (; pair + 4 <= pairs; pair += 4) {
      int end = to(pair + 3);
      for (int at = panel(from(pair)); at < end; at += VectorTile.PANEL) {
        VectorProduct.addFour(
            queries,
            pair * padded,
            padded,
            headDim,
            keys,
            at,
            TILE,
            scores,
            pair * TILE + at,
            TILE);
      }
    }
    for (; pair < pairs; pair++) {
      int end = to(pair);
      for (int at = panel(from(pair)); at < end; at += VectorTile.PANEL) {
        VectorProduct.addOne(
            queries, pair * padded, headDim, keys, at, TILE, scores, pair * TILE + at);
      }
    }
  }

  private static int panel(int column) {
    return column / VectorTile.PANEL * VectorTile.PANEL;
  }

  /** Turns a pair's scores into weights, and shrinks what was summed under a lower maximum. */
  private void weigh(int pair) {
    int from = from(pair);
    int to = to(pair);
    if (from >= to) {
      return;
    }
    int first = pair * TILE;
    float max = largestScore(first, from, to);
    float before = maxima[pair];
    if (before > max) {
      max = before;
    }
    if (max != before) {
      float shrink = (float) Math.exp(before - max);
      multiply(pair, shrink);
      FloatVector.fromArray(S, totals, pair * L).mul(shrink).intoArray(totals, pair * L);
      maxima[pair] = max;
    }
    FloatVector total = FloatVector.fromArray(S, totals, pair * L);
    for (int i = first; i < first + TILE; i += L) {
      FloatVector weight = VectorFunctions.exp(FloatVector.fromArray(S, scores, i).sub(max));
      total = total.add(weight);
      weight.intoArray(scores, i);
    }
    total.intoArray(totals, pair * L);
  }

  /** Scales and caps scores, gives −∞ to what is not seen, and returns the largest or NaN. */
  private float largestScore(int first, int from, int to) {
    for (int i = first; i < first + TILE; i += L) {
      FloatVector.fromArray(S, scores, i).mul(scale).intoArray(scores, i);
    }
    if (softCap > 0) {
      for (int i = 0; i < TILE; i += L) {
        FloatVector.fromArray(S, scores, first + i).div(softCap).intoArray(capped, i);
      }
      VectorFunctions.tanh(capped, TILE);
      for (int i = 0; i < TILE; i += L) {
        FloatVector.fromArray(S, capped, i).mul(softCap).intoArray(scores, first + i);
      }
    }
    Arrays.fill(scores, first, first + from, Float.NEGATIVE_INFINITY);
    Arrays.fill(scores, first + to, first + TILE, Float.NEGATIVE_INFINITY);
    FloatVector max = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
    for (int i = first; i < first + TILE; i += L) {
      max = max.max(FloatVector.fromArray(S, scores, i));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  private void multiply(int pair, float factor) {
    for (int i = pair * padded; i < (pair + 1) * padded; i += L) {
      FloatVector.fromArray(S, sums, i).mul(factor).intoArray(sums, i);
    }
  }

  private void addValues() {
    int pair = 0;
    for (; pair + 4 <= pairs; pair += 4) {
      // First and last positions are not seen by all four; those in between are taken together.
      int begin = from(pair + 3);
      int end = to(pair);
      if (begin >= end) {
        addValues(pair, 4, 0, TILE);
        continue;
      }
      addValues(pair, 4, 0, begin);
      for (int i = 0; i < padded; i += VectorTile.PANEL) {
        VectorProduct.addFour(
            scores,
            pair * TILE + begin,
            TILE,
            end - begin,
            values,
            begin * padded + i,
            padded,
            sums,
            pair * padded + i,
            padded);
      }
      addValues(pair, 4, end, TILE);
    }
    addValues(pair, pairs - pair, 0, TILE);
  }

  /** Adds weighted values to each of some pairs, as far as it sees them. */
  private void addValues(int first, int count, int begin, int end) {
    for (int pair = first; pair < first + count; pair++) {
      int from = Math.max(begin, from(pair));
      int to = Math.min(end, to(pair));
      for (int i = 0; i < padded && from < to; i += VectorTile.PANEL) {
        VectorProduct.addOne(
            scores,
            pair * TILE + from,
            to - from,
            values,
            from * padded + i,
            padded,
            sums,
            pair * padded + i);
      }
    }
  }
}
