package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.model.LayerWeights.FeedForward;
import io.smallmind.model.LayerWeights.NormWeights;
import io.smallmind.model.PassObserver.Step;
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
 * <p>Work alternates between two kinds of phases. In one, rows pass through norms and sums; in the
 * other, members compute different outputs of all rows (projections, attention), and wait for each
 * other at its end. Rows are shared out among the members, which then wait for each other in the
 * first kind too; a few rows are passed through by every member, each in buffers of its own, since
 * that takes less time than waiting. Where each member has enough rows to make reading the weights
 * small beside multiplying, it keeps them from the first phase to the last, and waits but for the
 * keys and values of the others: what a row becomes then stays in one processor's caches. Nothing
 * is allocated on the heap.
 *
 * <p>Belongs to one batch; not thread-safe.
 */
final class ForwardPass implements Team.Work {
  private static final Projection[] NO_PROJECTION = {};

  private final ModelConfig config;
  private final ModelWeights weights;
  private final Kernels kernels;
  private final Batch batch;
  private final ProjectionPass projections;
  private final AttentionPass attention;
  private final @Nullable ExpertPass experts;
  private final RowShares shares;
  private final float[][] decoded; // (members, embeddingLength)

  private final PassRecorder recorder = PassRecorder.create();
  private int rows;
  private @Nullable PassObserver observer;

  /** Whether every member passes all rows through norms. */
  private boolean few;

  /** Whether each member keeps its rows for itself. */
  private boolean kept;

  /**
   * The layer to stop at: written by member 0 before the others may pass that layer's keys, so that
   * all agree.
   */
  private int stopAt;

  ForwardPass(ModelConfig config, ModelWeights weights, Kernels kernels, Team team, Batch batch) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.batch = batch;
    AdapterPass adapters =
        new AdapterPass(kernels, team.size(), batch.maxRows(), weights.adapterRank());
    projections = new ProjectionPass(config, kernels, batch, adapters);
    attention = new AttentionPass(config, kernels, batch);
    experts = config.experts() == 0 ? null : new ExpertPass(kernels, batch, projections);
    shares = new RowShares(config, weights, batch, team.size());
    decoded = new float[team.size()][config.embeddingLength()];
  }

  /** Tells whether this runs a model's weights. */
  boolean belongsTo(Model model) {
    return weights == model.weights();
  }

  /** Runs the batch; returns false if it was cancelled, and then nothing is to be used. */
  boolean run(Team team) {
    rows = batch.rows();
    few = rows <= Batch.FEW_ROWS;
    kept = shares.split(rows, team.size()) && !few;
    stopAt = Integer.MAX_VALUE;
    observer = batch.observer;
    recorder.begin();
    team.run(this);
    boolean finished = stopAt == Integer.MAX_VALUE;
    recorder.end(batch, kernels, team, finished);
    return finished;
  }

  @Override
  public void run(Team team, int member) {
    RowBuffers my = few ? batch.own(member) : batch.shared();
    // A member of the team that comes here from its own work is a team of one.
    boolean all = few || team.size() == 1;
    int begin = all ? 0 : shares.begin(member);
    int end = all ? rows : shares.begin(member + 1);

    PassObserver listening = observer;
    if (listening != null) {
      listening.begun(member);
    }
    embed(my, member, begin, end);
    worked(member, PassObserver.NO_LAYER, Step.EMBEDDING);
    for (int layer = 0; layer < config.layers(); layer++) {
      LayerWeights block = weights.layers.get(layer);
      normalize(block.attentionNorm(), my, begin, end);
      endRows(team, member, layer, Step.NORMS);
      project(team, member, block.attentionInputs(), my.normed(), begin, end);
      BooleanSupplier cancelled = batch.cancelled;
      if (member == 0 && cancelled != null && cancelled.getAsBoolean()) {
        stopAt = layer;
      }
      if (few) {
        meet(team, member, layer, Step.ATTENTION_INPUTS);
      } else {
        endOutputs(team, member, layer, Step.ATTENTION_INPUTS);
        attention.finishInputs(block, layer, my, begin, end);
        if (kept) {
          follow(team, member, layer);
        } else {
          meet(team, member, layer, Step.ATTENTION);
        }
      }
      if (layer >= stopAt) {
        return;
      }
      if (few) {
        attention.attendFew(team, block, layer, my);
      } else if (kept) {
        attention.attendRows(layer, begin, end);
      } else {
        attention.attend(team, layer);
      }
      endOutputs(team, member, layer, Step.ATTENTION);
      kernels.quantize(my.attended(), begin, end);
      endRows(team, member, layer, Step.ATTENTION);
      project(team, member, block.attentionOutput(), my.attended(), begin, end);
      endOutputs(team, member, layer, Step.ATTENTION_OUTPUT);
      addResidual(block.attentionOutput(), block.attentionPostNorm(), my, begin, end);

      normalize(block.feedForwardNorm(), my, begin, end);
      FeedForward feedForward = block.feedForward();
      if (feedForward != null) {
        endRows(team, member, layer, Step.NORMS);
        activate(team, member, feedForward.inputs(), my.normed(), begin, end);
        endOutputs(team, member, layer, Step.FEED_FORWARD_INPUTS);
        kernels.quantize(my.gate(), begin, end);
        endRows(team, member, layer, Step.FEED_FORWARD_INPUTS);
        project(team, member, feedForward.output(), my.gate(), begin, end);
        endOutputs(team, member, layer, Step.FEED_FORWARD_OUTPUT);
        addResidual(feedForward.output(), block.feedForwardPostNorm(), my, begin, end);
      } else if (block.experts() != null) {
        endAll(team, member, layer, Step.NORMS);
        experts().run(team, member, block.experts(), my.normed(), rows);
        worked(member, layer, Step.EXPERTS);
        addResidual(NO_PROJECTION, block.feedForwardPostNorm(), my, begin, end);
      }
      worked(member, layer, Step.NORMS);
    }
    endAll(team, member, PassObserver.NO_LAYER, Step.NORMS);
    int outputs = batch.outputs();
    int outputBegin = outputs * member / team.size();
    int outputEnd = outputs * (member + 1) / team.size();
    finish(my, few ? 0 : outputBegin, few ? outputs : outputEnd);
    endAll(team, member, PassObserver.NO_LAYER, Step.NORMS);
    projections.project(team, member, weights.output, my.outputs(), outputs);
    meet(team, member, PassObserver.NO_LAYER, Step.OUTPUT);
    capLogits(outputBegin, outputEnd);
    worked(member, PassObserver.NO_LAYER, Step.OUTPUT);
  }

  private void project(
      Team team, int member, Projection[] projection, Activations x, int begin, int end) {
    if (kept) {
      projections.projectRows(member, projection, x, begin, end);
    } else {
      projections.project(team, member, projection, x, rows);
    }
  }

  private void activate(
      Team team, int member, Projection[] inputs, Activations x, int begin, int end) {
    if (kept) {
      projections.activateRows(member, inputs, x, begin, end);
    } else {
      projections.activate(team, member, inputs, x, rows);
    }
  }

  /** Waits until all rows have come this far, where others need them. */
  private void endRows(Team team, int member, int layer, Step step) {
    end(!few && !kept, team, member, layer, step);
  }

  /** Waits until all outputs are there, where others computed some. */
  private void endOutputs(Team team, int member, int layer, Step step) {
    end(!kept, team, member, layer, step);
  }

  /** Waits until all rows have come this far. */
  private void endAll(Team team, int member, int layer, Step step) {
    end(!few, team, member, layer, step);
  }

  private void end(boolean waits, Team team, int member, int layer, Step step) {
    if (waits) {
      meet(team, member, layer, step);
    } else {
      worked(member, layer, step);
    }
  }

  /** Waits until all members have come this far. */
  private void meet(Team team, int member, int layer, Step step) {
    worked(member, layer, step);
    team.barrier();
    PassObserver listening = observer;
    if (listening != null) {
      listening.waited(member, layer, step);
    }
  }

  /** Waits for the keys and values of the rows before this member's, which are all it needs. */
  private void follow(Team team, int member, int layer) {
    worked(member, layer, Step.ATTENTION);
    team.advance(member, layer + 1);
    team.follow(member, layer + 1);
    PassObserver listening = observer;
    if (listening != null) {
      listening.waited(member, layer, Step.ATTENTION);
    }
  }

  private void worked(int member, int layer, Step step) {
    PassObserver listening = observer;
    if (listening != null) {
      listening.worked(member, layer, step);
    }
  }

  /** Looks up the tokens' embeddings, and the angles of their positions. */
  private void embed(RowBuffers my, int member, int begin, int end) {
    Matrix stream = my.stream();
    int length = config.embeddingLength();
    for (int row = begin; row < end; row++) {
      decodeRow(weights.tokenEmbeddings, batch.tokens[row], member, stream, row);
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
      angles(my.rope(), weights.ropeFrequencies, config.rope().magnitude(), row);
      angles(my.localRope(), weights.localRopeFrequencies, config.localRope().magnitude(), row);
    }
  }

  private void decodeRow(Matrix embeddings, int token, int member, Matrix stream, int row) {
    int length = config.embeddingLength();
    float[] values = decoded[member];
    Codec codec = embeddings.type().codec();
    codec.decode(embeddings.segment(), embeddings.rowOffset(token), values, 0, length);
    MemorySegment.copy(values, 0, stream.segment(), JAVA_FLOAT, stream.rowOffset(row), length);
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
  private void normalize(NormWeights norm, RowBuffers my, int begin, int end) {
    if (begin < end) {
      Matrix out = my.normed().source();
      norm.apply(kernels, config.normEpsilon(), my.stream(), out, begin, end);
      kernels.quantize(my.normed(), begin, end);
    }
  }

  private ExpertPass experts() {
    ExpertPass pass = experts;
    if (pass == null) {
      throw new IllegalStateException("this model has no experts");
    }
    return pass;
  }

  /** Adds a block's output, with its bias and norm where the model has them, to the stream. */
  private void addResidual(
      Projection[] projection, @Nullable NormWeights postNorm, RowBuffers my, int begin, int end) {
    Matrix output = batch.residual;
    Matrix free = my.normed().source();
    for (Projection each : projection) {
      Matrix bias = each.bias();
      if (bias != null) {
        for (int row = begin; row < end; row++) {
          add(kernels, output, row, bias, 0, free);
        }
        output = free;
      }
    }
    if (postNorm != null && begin < end) {
      postNorm.apply(kernels, config.normEpsilon(), output, free, begin, end);
      output = free;
    }
    for (int row = begin; row < end; row++) {
      add(kernels, my.stream(), row, output, row, my.stream());
    }
  }

  /** Computes out[row] = a[row] + b[bRow]. */
  static void add(Kernels kernels, Matrix a, long row, Matrix b, long bRow, Matrix out) {
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

  static void copyRow(Matrix from, long fromRow, Matrix to, long toRow) {
    MemorySegment.copy(
        from.segment(),
        from.rowOffset(fromRow),
        to.segment(),
        to.rowOffset(toRow),
        4 * from.columns());
  }

  /** Normalises the rows whose logits are wanted. */
  private void finish(RowBuffers my, int begin, int end) {
    Matrix out = my.outputs().source();
    for (int output = begin; output < end; output++) {
      copyRow(my.stream(), batch.outputRows[output], out, output);
    }
    if (begin < end) {
      weights.outputNorm.apply(kernels, config.normEpsilon(), out, out, begin, end);
      kernels.quantize(my.outputs(), begin, end);
    }
  }

  private void capLogits(int begin, int end) {
    for (Projection projection : weights.output) {
      Matrix bias = projection.bias();
      for (int row = begin; bias != null && row < end; row++) {
        add(kernels, batch.logits, row, bias, 0, batch.logits);
      }
    }
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
