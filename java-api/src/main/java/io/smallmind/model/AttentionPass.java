package io.smallmind.model;

import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import io.smallmind.model.LayerWeights.NormWeights;
import io.smallmind.tensor.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * The part of a forward pass between the projections to queries, keys and values and that of what
 * attention found. Nothing is allocated on the heap.
 *
 * <p>Belongs to one forward pass; not thread-safe beyond that.
 */
final class AttentionPass {
  /** Rows of one session that attend together, so that keys and values are read less often. */
  private static final int ATTENTION_ROWS = 32;

  private final ModelConfig config;
  private final Kernels kernels;
  private final Batch batch;

  /** Query heads per key head. */
  private final int group;

  AttentionPass(ModelConfig config, Kernels kernels, Batch batch) {
    this.config = config;
    this.kernels = kernels;
    this.batch = batch;
    group = config.heads() / config.kvHeads();
  }

  /**
   * Does all for a few rows: members take key heads, and with each all that reads it, so that
   * nobody waits in between.
   *
   * @param my the member's own buffers
   */
  void attendFew(Team team, LayerWeights block, int layer, RowBuffers my) {
    int kvHeads = config.kvHeads();
    int units = batch.runCount() * kvHeads;
    for (int unit = (int) team.claim(1); unit < units; unit = (int) team.claim(1)) {
      Batch.Run run = batch.run(unit / kvHeads);
      int kvHead = unit % kvHeads;
      finishInputs(run, run.begin, run.end, block, layer, my, kvHead, kvHead + 1);
      attend(run, run.begin, run.end, layer, kvHead);
    }
  }

  /** Finishes rows of queries, keys and values, and stores the keys and values. */
  void finishInputs(LayerWeights block, int layer, RowBuffers my, int begin, int end) {
    for (int index = 0; index < batch.runCount(); index++) {
      Batch.Run run = batch.run(index);
      int from = Math.max(begin, run.begin);
      int to = Math.min(end, run.end);
      if (from < to) {
        finishInputs(run, from, to, block, layer, my, 0, config.kvHeads());
      }
    }
  }

  /** Lets each run's rows attend to their session, cut into blocks of rows × key heads. */
  void attend(Team team, int layer) {
    int first = 0;
    int next = (int) team.claim(1);
    for (int index = 0; index < batch.runCount(); index++) {
      Batch.Run run = batch.run(index);
      int blocks = (run.end - run.begin + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
      int units = blocks * config.kvHeads();
      for (; next < first + units; next = (int) team.claim(1)) {
        int kvHead = (next - first) % config.kvHeads();
        // The last rows see most and come first, so that short work fills the end.
        int block = blocks - 1 - (next - first) / config.kvHeads();
        int begin = run.begin + block * ATTENTION_ROWS;
        attend(run, begin, Math.min(run.end, begin + ATTENTION_ROWS), layer, kvHead);
      }
      first += units;
    }
  }

  /** Lets some rows attend to their sessions. */
  void attendRows(int layer, int rowBegin, int rowEnd) {
    for (int index = 0; index < batch.runCount(); index++) {
      Batch.Run run = batch.run(index);
      int end = Math.min(rowEnd, run.end);
      for (int row = Math.max(rowBegin, run.begin); row < end; row += ATTENTION_ROWS) {
        for (int kvHead = 0; kvHead < config.kvHeads(); kvHead++) {
          attend(run, row, Math.min(end, row + ATTENTION_ROWS), layer, kvHead);
        }
      }
    }
  }

  private void attend(Batch.Run run, int begin, int end, int layer, int kvHead) {
    kernels.attention(
        batch.queries,
        begin,
        end,
        run.position + begin - run.begin,
        run.cache().pages(),
        layer,
        kvHead,
        kvHead + 1,
        config.attentionScale(),
        config.attentionSoftCap(),
        config.isLocal(layer) ? config.window() : 0,
        batch.shared().attended().source());
  }

  /**
   * Adds biases to heads of consecutive rows of a run, normalises them where the model asks for it,
   * turns them by position, and stores the keys and values.
   */
  private void finishInputs(
      Batch.Run run,
      int begin,
      int end,
      LayerWeights block,
      int layer,
      RowBuffers my,
      int kvHeadBegin,
      int kvHeadEnd) {
    int kvHeads = kvHeadEnd - kvHeadBegin;
    for (Projection projection : block.attentionInputs()) {
      boolean queries = projection.target() == Projection.Buffer.QUERIES;
      int heads = queries ? group : 1;
      addBias(projection, begin, end, kvHeadBegin * heads, kvHeads * heads);
    }
    Matrix table = config.isLocal(layer) ? my.localRope() : my.rope();
    for (int row = begin; row < end; row++) {
      int queryHead = kvHeadBegin * group;
      finishHeads(batch.queryHeads, block.queryNorm(), row, queryHead, kvHeads * group, table);
      finishHeads(batch.keyHeads, block.keyNorm(), row, kvHeadBegin, kvHeads, table);
    }
    kernels.storeKeyValue(
        batch.keys,
        batch.values,
        begin,
        end,
        run.position + begin - run.begin,
        run.cache().pages(),
        layer,
        kvHeadBegin,
        kvHeadEnd);
  }

  private void addBias(Projection projection, int begin, int end, int head, int heads) {
    Matrix bias = projection.bias();
    if (bias == null) {
      return;
    }
    Matrix y = batch.target(projection.target());
    long first = 4L * head * config.headDim();
    for (int row = begin; row < end; row++) {
      long offset = y.rowOffset(row) + first;
      kernels.binary(
          BinaryOp.ADD,
          y.segment(),
          offset,
          bias.segment(),
          bias.rowOffset(0) + first,
          y.segment(),
          offset,
          (long) heads * config.headDim());
    }
  }

  /**
   * Normalises and turns heads of a row.
   *
   * @param x (rows · heads, headDim)
   */
  private void finishHeads(
      Matrix x, @Nullable NormWeights norm, int row, int head, int heads, Matrix table) {
    long first = row * (x.rows() / batch.maxRows()) + head;
    if (norm != null) {
      norm.apply(kernels, config.normEpsilon(), x, x, first, first + heads);
    }
    RopePairing pairing = config.architecture().ropePairing();
    if (pairing != null) {
      kernels.rope(
          pairing,
          x.segment(),
          x.rowOffset(first),
          heads,
          config.headDim(),
          table.columns(),
          table.segment(),
          table.rowOffset(row));
    }
  }
}
