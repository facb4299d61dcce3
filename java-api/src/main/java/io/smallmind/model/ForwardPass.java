package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.model.LayerWeights.FeedForward;
import io.smallmind.model.LayerWeights.NormWeights;
import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass, readable from top to bottom: one program that every member of a team runs over
 * the rows of a batch. Each row is a token of some session at some position, so that prefill,
 * decoding and many sessions at once are the same code.
 *
 * <p>Work alternates between two kinds of phases, with a barrier between them. In the first, every
 * member works on rows of its own (norms, rotations, activation functions). In the second, members
 * claim pieces of the outputs of all rows (projections, attention). Nothing is allocated on the
 * heap.
 *
 * <p>Belongs to one batch; not thread-safe.
 */
final class ForwardPass implements Team.Work {
  /** Rows of one session that attend together, so that keys and values are read less often. */
  private static final int ATTENTION_ROWS = 32;

  /** Pieces of a projection per member: enough for members of unequal speed to end together. */
  private static final int PIECES_PER_MEMBER = 6;

  private final ModelConfig config;
  private final ModelWeights weights;
  private final Kernels kernels;
  private final Batch batch;
  private final @Nullable ExpertPass experts;
  private final float[][] decoded; // (members, embeddingLength)

  private int rows;

  /** Written by member 0 before a barrier and read by all behind it, so that all agree. */
  private boolean stopped;

  ForwardPass(ModelConfig config, ModelWeights weights, Kernels kernels, Team team, Batch batch) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.batch = batch;
    experts = batch.experts == null ? null : new ExpertPass(this, kernels, batch, batch.experts);
    decoded = new float[team.size()][config.embeddingLength()];
  }

  /** Tells whether this runs a model's weights. */
  boolean belongsTo(Model model) {
    return weights == model.weights();
  }

  /** Runs the batch; returns false if it was cancelled, and then nothing is to be used. */
  boolean run(Team team) {
    rows = batch.rows();
    stopped = false;
    team.run(this);
    return !stopped;
  }

  @Override
  public void run(Team team, int member) {
    // This member's own rows, and rows with logits.
    int begin = rows * member / team.size();
    int end = rows * (member + 1) / team.size();
    int outputs = batch.outputs();
    int outputBegin = outputs * member / team.size();
    int outputEnd = outputs * (member + 1) / team.size();

    embed(member, begin, end);
    for (int layer = 0; layer < config.layers(); layer++) {
      LayerWeights block = weights.layers.get(layer);
      normalize(block.attentionNorm(), begin, end);
      if (member == 0) {
        BooleanSupplier cancelled = batch.cancelled;
        stopped = cancelled != null && cancelled.getAsBoolean();
      }
      team.barrier();
      if (stopped) {
        return;
      }
      project(team, block.attentionInputs(), batch.normed, rows);
      team.barrier();
      finishAttentionInputs(block, layer, begin, end);
      team.barrier();
      attend(team, layer);
      team.barrier();
      kernels.quantize(batch.attended, begin, end);
      team.barrier();
      project(team, block.attentionOutput(), batch.attended, rows);
      team.barrier();
      addBiases(block.attentionOutput(), begin, end);
      addResidual(block.attentionPostNorm(), begin, end);

      normalize(block.feedForwardNorm(), begin, end);
      team.barrier();
      FeedForward feedForward = block.feedForward();
      if (feedForward != null) {
        feedForward(team, feedForward, begin, end);
      } else if (block.experts() != null) {
        experts().run(team, member, block.experts(), rows);
      }
      addResidual(block.feedForwardPostNorm(), begin, end);
    }
    team.barrier();
    finish(outputBegin, outputEnd);
    team.barrier();
    project(team, weights.output, batch.outputs, outputs);
    team.barrier();
    capLogits(outputBegin, outputEnd);
  }

  /** Looks up the tokens' embeddings, and the angles of their positions. */
  private void embed(int member, int begin, int end) {
    Matrix stream = batch.stream;
    int length = config.embeddingLength();
    for (int row = begin; row < end; row++) {
      decodeRow(weights.tokenEmbeddings, batch.tokens[row], member, row);
      if (config.architecture().scalesEmbeddings()) {
        long offset = stream.rowOffset(row);
        float scale = (float) Math.sqrt(length);
        kernels.scale(scale, stream.segment(), offset, stream.segment(), offset, length);
      }
      Matrix positions = weights.positionEmbeddings;
      if (positions != null) {
        float[] position = decoded[member];
        Codec codec = positions.type().codec();
        long at = positions.rowOffset(batch.positions[row]);
        codec.decode(positions.segment(), at, position, 0, length);
        for (int i = 0; i < length; i++) {
          long offset = stream.rowOffset(row) + 4L * i;
          stream
              .segment()
              .set(JAVA_FLOAT, offset, stream.segment().get(JAVA_FLOAT, offset) + position[i]);
        }
      }
      angles(batch.rope, weights.ropeFrequencies, config.rope().magnitude(), row);
      angles(batch.localRope, weights.localRopeFrequencies, config.localRope().magnitude(), row);
    }
  }

  private void decodeRow(Matrix embeddings, int token, int member, int row) {
    int length = config.embeddingLength();
    float[] values = decoded[member];
    Codec codec = embeddings.type().codec();
    codec.decode(embeddings.segment(), embeddings.rowOffset(token), values, 0, length);
    MemorySegment.copy(
        values, 0, batch.stream.segment(), JAVA_FLOAT, batch.stream.rowOffset(row), length);
  }

  /** Fills a row of a table: cosines, then sines, of the row's position times each frequency. */
  private void angles(Matrix table, double[] frequencies, double magnitude, int row) {
    int pairs = frequencies.length;
    long offset = table.rowOffset(row);
    for (int pair = 0; pair < pairs; pair++) {
      double angle = batch.positions[row] * frequencies[pair];
      table.segment().set(JAVA_FLOAT, offset + 4L * pair, (float) (Math.cos(angle) * magnitude));
      table
          .segment()
          .set(JAVA_FLOAT, offset + 4L * (pairs + pair), (float) (Math.sin(angle) * magnitude));
    }
  }

  /** Normalises rows of the stream for the next projections, and quantizes them once for all. */
  private void normalize(NormWeights norm, int begin, int end) {
    if (begin < end) {
      norm(norm, batch.stream, batch.normed.source(), begin, end);
      kernels.quantize(batch.normed, begin, end);
    }
  }

  private void norm(NormWeights norm, Matrix in, Matrix out, long begin, long end) {
    Matrix bias = norm.bias();
    if (bias == null) {
      kernels.rmsNorm(in, norm.weight(), config.normEpsilon(), out, begin, end);
    } else {
      kernels.layerNorm(in, norm.weight(), bias, config.normEpsilon(), out, begin, end);
    }
  }

  /** Multiplies rows by several matrices, whose outputs are cut into pieces for all members. */
  void project(Team team, Projection[] projections, Activations x, int xRows) {
    int first = 0;
    int next = (int) team.claim(1);
    for (Projection projection : projections) {
      PackedWeights w = projection.weights();
      long piece = piece(team, w);
      int pieces = (int) ((w.rows() + piece - 1) / piece);
      Matrix y = target(projection.target());
      for (; next < first + pieces; next = (int) team.claim(1)) {
        long begin = (next - first) * piece;
        long end = Math.min(w.rows(), begin + piece);
        if (xRows > 0) {
          kernels.matmul(x, 0, xRows, w, begin, end, y);
        }
      }
      first += pieces;
    }
  }

  /** Returns how many outputs of a projection a member computes at a time. */
  long piece(Team team, PackedWeights w) {
    int group = kernels.rowGroup(w.type());
    long even = w.rows() / ((long) team.size() * PIECES_PER_MEMBER);
    return Math.max(1, even / group) * group;
  }

  private Matrix target(Projection.Buffer buffer) {
    return switch (buffer) {
      case QUERIES -> batch.queries;
      case KEYS -> batch.keys;
      case VALUES -> batch.values;
      case GATE -> batch.gate.source();
      case UP -> batch.up;
      case RESIDUAL -> batch.residual;
      case ROUTER -> experts().scores();
      case LOGITS -> batch.logits;
    };
  }

  private ExpertPass experts() {
    ExpertPass pass = experts;
    if (pass == null) {
      throw new IllegalStateException("this model has no experts");
    }
    return pass;
  }

  private void addBiases(Projection[] projections, int begin, int end) {
    for (Projection projection : projections) {
      Matrix bias = projection.bias();
      if (bias != null) {
        Matrix y = target(projection.target());
        for (int row = begin; row < end; row++) {
          add(y, row, bias, 0, y);
        }
      }
    }
  }

  /** Computes out[row] = a[row] + b[bRow]. */
  void add(Matrix a, long row, Matrix b, long bRow, Matrix out) {
    kernels.binary(
        BinaryOp.ADD,
        a.segment(),
        a.rowOffset(row),
        b.segment(),
        b.rowOffset(bRow),
        out.segment(),
        out.rowOffset(row),
        a.columns());
  }

  /** Normalises heads where the model asks for it, turns them by position, and stores the keys. */
  private void finishAttentionInputs(LayerWeights block, int layer, int begin, int end) {
    addBiases(block.attentionInputs(), begin, end);
    if (block.queryNorm() != null) {
      norm(
          block.queryNorm(),
          batch.queryHeads,
          batch.queryHeads,
          (long) begin * config.heads(),
          (long) end * config.heads());
    }
    if (block.keyNorm() != null) {
      norm(
          block.keyNorm(),
          batch.keyHeads,
          batch.keyHeads,
          (long) begin * config.kvHeads(),
          (long) end * config.kvHeads());
    }
    RopePairing pairing = config.architecture().ropePairing();
    if (pairing != null) {
      Matrix table = config.isLocal(layer) ? batch.localRope : batch.rope;
      for (int row = begin; row < end; row++) {
        rotate(pairing, batch.queries, row, config.heads(), table);
        rotate(pairing, batch.keys, row, config.kvHeads(), table);
      }
    }
    for (int index = 0; index < batch.runCount(); index++) {
      Batch.Run run = batch.run(index);
      int from = Math.max(begin, run.begin);
      int to = Math.min(end, run.end);
      if (from < to) {
        kernels.storeKeyValue(
            batch.keys,
            batch.values,
            from,
            to,
            run.position + from - run.begin,
            run.cache().pages(),
            layer,
            0,
            config.kvHeads());
      }
    }
  }

  private void rotate(RopePairing pairing, Matrix x, int row, int heads, Matrix table) {
    kernels.rope(
        pairing,
        x.segment(),
        x.rowOffset(row),
        heads,
        config.headDim(),
        table.columns(),
        table.segment(),
        table.rowOffset(row));
  }

  /** Lets each run's rows attend to their session, cut into blocks of rows × key heads. */
  private void attend(Team team, int layer) {
    int window = config.isLocal(layer) ? config.window() : 0;
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
        int end = Math.min(run.end, begin + ATTENTION_ROWS);
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
            window,
            batch.attended.source());
      }
      first += units;
    }
  }

  /** Adds a block's output, normalised where the model asks for it, to the stream. */
  private void addResidual(@Nullable NormWeights postNorm, int begin, int end) {
    if (begin < end && postNorm != null) {
      norm(postNorm, batch.residual, batch.residual, begin, end);
    }
    for (int row = begin; row < end; row++) {
      add(batch.stream, row, batch.residual, row, batch.stream);
    }
  }

  private void feedForward(Team team, FeedForward block, int begin, int end) {
    project(team, block.inputs(), batch.normed, rows);
    team.barrier();
    addBiases(block.inputs(), begin, end);
    activate(begin, end);
    team.barrier();
    project(team, block.output(), batch.gate, rows);
    team.barrier();
    addBiases(block.output(), begin, end);
  }

  /** Activates rows of the gate, lets up pass through it, and quantizes the result. */
  void activate(int begin, int end) {
    if (begin == end) {
      return;
    }
    Matrix gate = batch.gate.source();
    MemorySegment values = gate.segment();
    long offset = gate.rowOffset(begin);
    long length = (long) (end - begin) * config.feedForwardLength();
    kernels.unary(config.architecture().activation(), values, offset, values, offset, length);
    if (config.architecture().isGated()) {
      MemorySegment up = batch.up.segment();
      kernels.binary(BinaryOp.MULTIPLY, values, offset, up, offset, values, offset, length);
    }
    kernels.quantize(batch.gate, begin, end);
  }

  static void copyRow(Matrix from, long fromRow, Matrix to, long toRow) {
    MemorySegment.copy(
        from.segment(),
        from.rowOffset(fromRow),
        to.segment(),
        to.rowOffset(toRow),
        4 * from.columns());
  }

  /** Normalises the rows whose logits are wanted. */
  private void finish(int begin, int end) {
    Matrix out = batch.outputs.source();
    for (int output = begin; output < end; output++) {
      copyRow(batch.stream, batch.outputRows[output], out, output);
    }
    if (begin < end) {
      norm(weights.outputNorm, out, out, begin, end);
      kernels.quantize(batch.outputs, begin, end);
    }
  }

  private void capLogits(int begin, int end) {
    addBiases(weights.output, begin, end);
    float cap = config.logitSoftCap();
    if (cap > 0 && begin < end) {
      MemorySegment logits = batch.logits.segment();
      long offset = batch.logits.rowOffset(begin);
      long length = (long) (end - begin) * config.vocabularySize();
      kernels.scale(1 / cap, logits, offset, logits, offset, length);
      kernels.unary(UnaryOp.TANH, logits, offset, logits, offset, length);
      kernels.scale(cap, logits, offset, logits, offset, length);
    }
  }
}
