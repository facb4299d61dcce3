package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

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

  /** Values of a query that lie side by side. */
  private static final int PIECE = VectorProduct.A_STRIDE;

  /** The maximum of no scores: a number, so that what is not seen, −∞, has the weight 0. */
  private static final float LOWEST = -Float.MAX_VALUE;

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
  private float[] decoded = {}; // (TILE, headDim)
  private final VectorKeys keys = new VectorKeys();
  private float[] values = {}; // (TILE, padded)
  private float[] queries = {}; // (pieces of PIECE values, BLOCK_PAIRS, PIECE)
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
    if (sums.length < BLOCK_PAIRS * padded) {
      queries = new float[BLOCK_PAIRS * ((headDim + PIECE - 1) / PIECE * PIECE)];
      sums = new float[BLOCK_PAIRS * padded];
      values = new float[padded * TILE];
      decoded = new float[padded * TILE];
    }
    keys.reserve(kv);
    if (bytes.length < TILE * kv.rowBytes()) {
      bytes = new byte[TILE * (int) kv.rowBytes()];
    }
  }

  private void block(Matrix q, long rowBegin, KvPages kv, int layer, int kvHead, Matrix out) {
    for (int pair = 0; pair < pairs; pair++) {
      long at = q.rowOffset(rowBegin + row(pair)) + headOffset(pair, kvHead);
      for (int i = 0; i < headDim; i += PIECE) {
        int length = Math.min(PIECE, headDim - i);
        MemorySegment.copy(
            q.segment(), JAVA_FLOAT_UNALIGNED, at + 4L * i, queries, query(pair, i), length);
      }
    }
    Arrays.fill(sums, 0, pairs * padded, 0);
    Arrays.fill(totals, 0, pairs * L, 0);
    Arrays.fill(maxima, 0, pairs, LOWEST);
    long end = firstPosition + row(pairs - 1) + 1;
    for (tile = begin(0) / TILE * TILE; tile < end; tile += TILE) {
      MemorySegment page = kv.page((int) (tile / TILE));
      loadKeys(kv, page, kv.keyOffset(layer, kvHead));
      score();
      weigh();
      loadValues(kv, page, kv.valueOffset(layer, kvHead));
      addValues();
    }
    for (int pair = 0; pair < pairs; pair++) {
      // In a fixed order, which reduceLanes does not promise.
      float total = 0;
      for (int lane = 0; lane < L; lane++) {
        total += totals[pair * L + lane];
      }
      scale(sums, pair * padded, padded, 1 / total);
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
    keys.load(kv, page, offset + from * kv.rowBytes(), from, count);
  }

  private void loadValues(KvPages kv, MemorySegment page, long offset) {
    int from = from(0);
    int count = to(pairs - 1) - from;
    if (padded == headDim) {
      decode(kv, page, offset + from * kv.rowBytes(), count * headDim, values, from * headDim);
      return;
    }
    decode(kv, page, offset + from * kv.rowBytes(), count * headDim, decoded, 0);
    for (int row = 0; row < count; row++) {
      System.arraycopy(decoded, row * headDim, values, (from + row) * padded, headDim);
    }
  }

  /** Decodes consecutive rows. */
  private void decode(
      KvPages kv, MemorySegment page, long offset, int length, float[] to, int toOffset) {
    switch (kv.type()) {
      case F16 -> VectorHalves.fromF16(page, offset, to, toOffset, length);
      case Q8_0 -> {
        MemorySegment.copy(page, JAVA_BYTE, offset, bytes, 0, (int) kv.type().rowBytes(length));
        VectorDecoder.q8(bytes, to, toOffset, length);
      }
      default -> MemorySegment.copy(page, JAVA_FLOAT_UNALIGNED, offset, to, toOffset, length);
    }
  }

  // ---- The three steps of a tile

  /** Returns where a piece of a query begins, whose first value is this one. */
  private static int query(int pair, int value) {
    return value * BLOCK_PAIRS + pair * PIECE;
  }

  private void score() {
    Arrays.fill(scores, 0, pairs * TILE, 0);
    for (int i = 0; i < headDim; i += PIECE) {
      int depth = Math.min(PIECE, headDim - i);
      for (int pair = 0, count; pair < pairs; pair += count) {
        count = together(pairs - pair);
        int end = to(last(pair, count));
        for (int at = panel(from(pair)); at < end; at += VectorTile.PANEL) {
          int first = query(pair, i);
          multiply(
              count,
              queries,
              first,
              depth,
              keys.keys,
              i * TILE + at,
              TILE,
              scores,
              pair * TILE + at,
              TILE);
        }
      }
    }
  }

  /**
   * Returns how many of some pairs are multiplied at once: of two and three, so many as would be
   * four with whatever lies behind them.
   */
  private static int together(int pairs) {
    return pairs >= 12 ? 12 : pairs >= 2 ? 4 : 1;
  }

  /** Returns the last of some pairs that are multiplied at once. */
  private int last(int pair, int count) {
    return Math.min(pair + count, pairs) - 1;
  }

  private static void multiply(
      int count,
      float[] a,
      int aOffset,
      int depth,
      float[] b,
      int bOffset,
      int bStride,
      float[] c,
      int cOffset,
      int cStride) {
    switch (count) {
      case 12 ->
          VectorProduct.addTwelve(a, aOffset, depth, b, bOffset, bStride, c, cOffset, cStride);
      case 4 ->
          VectorProduct.addFour(a, aOffset, PIECE, depth, b, bOffset, bStride, c, cOffset, cStride);
      default -> VectorProduct.addOne(a, aOffset, depth, b, bOffset, bStride, c, cOffset);
    }
  }

  private static int panel(int column) {
    return column / VectorTile.PANEL * VectorTile.PANEL;
  }

  /** Turns scores into weights, and shrinks what was summed under a lower maximum. */
  private void weigh() {
    scale(scores, 0, pairs * TILE, scale);
    if (softCap > 0) {
      cap();
    }
    for (int pair = 0; pair < pairs; pair++) {
      hideUnseen(pair);
      raiseMaximum(pair, largest(scores, pair * TILE));
    }
    exponentials(scores, maxima, pairs);
    for (int pair = 0; pair < pairs; pair++) {
      addTotal(scores, pair * TILE, totals, pair * L);
    }
  }

  private void cap() {
    for (int first = 0; first < pairs * TILE; first += TILE) {
      for (int i = 0; i < TILE; i += L) {
        FloatVector.fromArray(S, scores, first + i).div(softCap).intoArray(capped, i);
      }
      VectorFunctions.tanh(capped, TILE);
      for (int i = 0; i < TILE; i += L) {
        FloatVector.fromArray(S, capped, i).mul(softCap).intoArray(scores, first + i);
      }
    }
  }

  /** Gives −∞ to the scores of positions that a pair does not see. */
  private void hideUnseen(int pair) {
    int from = from(pair);
    int to = to(pair);
    int first = pair * TILE;
    if (from >= to) {
      Arrays.fill(scores, first, first + TILE, Float.NEGATIVE_INFINITY);
    } else if (from > 0 || to < TILE) {
      Arrays.fill(scores, first, first + from, Float.NEGATIVE_INFINITY);
      Arrays.fill(scores, first + to, first + TILE, Float.NEGATIVE_INFINITY);
    }
  }

  /** Returns the largest score of a pair, or NaN if there is one. */
  private static float largest(float[] scores, int first) {
    FloatVector max = FloatVector.fromArray(S, scores, first);
    for (int i = L; i < TILE; i += L) {
      max = max.max(FloatVector.fromArray(S, scores, first + i));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  private void raiseMaximum(int pair, float max) {
    float before = maxima[pair];
    if (max <= before) {
      return;
    }
    maxima[pair] = max;
    if (before > LOWEST) { // else there are no sums yet
      float shrink = (float) Math.exp(before - max);
      scale(sums, pair * padded, padded, shrink);
      scale(totals, pair * L, L, shrink);
    }
  }

  private static void exponentials(float[] scores, float[] maxima, int pairs) {
    for (int i = 0; i < pairs * (TILE / L); i++) {
      FloatVector max = FloatVector.broadcast(S, maxima[i / (TILE / L)]);
      VectorFunctions.expOfNegative(FloatVector.fromArray(S, scores, i * L).sub(max))
          .intoArray(scores, i * L);
    }
  }

  private static void addTotal(float[] weights, int first, float[] totals, int at) {
    FloatVector total = FloatVector.fromArray(S, totals, at);
    for (int i = 0; i < TILE; i += L) {
      total = total.add(FloatVector.fromArray(S, weights, first + i));
    }
    total.intoArray(totals, at);
  }

  private static void scale(float[] x, int begin, int length, float factor) {
    for (int i = begin; i < begin + length; i += L) {
      FloatVector.fromArray(S, x, i).mul(factor).intoArray(x, i);
    }
  }

  private void addValues() {
    boolean finite = areFinite(values, from(0) * padded, to(pairs - 1) * padded);
    for (int pair = 0, count; pair < pairs; pair += count) {
      // Weights of what a pair does not see are zeros, which only finite values leave zeros.
      count = finite ? together(pairs - pair) : 1;
      int begin = from(pair);
      int depth = to(last(pair, count)) - begin;
      for (int i = 0; i < padded && depth > 0; i += VectorTile.PANEL) {
        int a = pair * TILE + begin;
        int b = begin * padded + i;
        multiply(count, scores, a, depth, values, b, padded, sums, pair * padded + i, padded);
      }
    }
  }

  private static boolean areFinite(float[] x, int begin, int end) {
    FloatVector zeros = FloatVector.zero(S);
    for (int i = begin; i < end; i += L) {
      zeros = FloatVector.fromArray(S, x, i).fma(FloatVector.zero(S), zeros);
    }
    return zeros.compare(VectorOperators.EQ, 0).allTrue();
  }
}
