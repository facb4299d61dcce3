package io.smallmind.bench.train;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.rivals.TrainingRival;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.convert.ModelShape;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.training.NetworkConfig;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import io.smallmind.training.TrainingOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What is trained: a network of a named shape with random weights, on random tokens.
 *
 * @param batch texts per step
 * @param context tokens per text
 */
public record Training(ModelShape shape, int batch, int context) {
  private static final long SEED = 20_260_101;

  /** Weights, gradients and both moments are read and written: see {@link #bytes}. */
  private static final int PASSES_OVER_WEIGHTS = 9;

  /** Forward, and backward to the inputs and to the weights. */
  private static final int PRODUCTS = 3;

  private static final long TEXTS = 16;

  /** Returns the work of a step, by every backend on one team. */
  public Workload workload(Contestants all, Team team) {
    return workload(all, team, List.of());
  }

  /**
   * Returns the same with others beside.
   *
   * @param rivals that train a GPT-2; there may be some only if the shape is one
   */
  public Workload workload(Contestants all, Team team, List<TrainingRival> rivals) {
    TokenData data = data();
    TrainingReference reference = new TrainingReference(this, data, team);
    List<Trial> trials = new ArrayList<>();
    for (Kernels kernels : all.kernels()) {
      trials.add(new TrainTrial(this, data, reference, kernels, team));
    }
    for (TrainingRival rival : rivals) {
      trials.add(new RivalTrainTrial(rival, this, team.size()));
    }
    all.limits().trial(LimitKind.FMA, team).ifPresent(trials::add);
    Map<String, Long> lengths = new LinkedHashMap<>();
    lengths.put("batch", (long) batch);
    lengths.put("context", (long) context);
    return new Workload(
        "train",
        shape.name() + " F32",
        batch + " × " + context,
        lengths,
        operations(),
        bytes(),
        (double) batch * context,
        Metric.TOKENS,
        LimitKind.FMA,
        "",
        trials,
        List.of(data));
  }

  /** Returns so many tokens that no text comes twice in a short run. */
  private TokenData data() {
    SplittableRandom random = new SplittableRandom(SEED);
    return TokenData.of(random.ints(TEXTS * batch * context + 1, 0, shape.vocabulary()).toArray());
  }

  Trainer trainer(TokenData data, Kernels kernels, Team team, int texts, int tokens) {
    TrainingOptions options =
        TrainingOptions.builder().batch(texts).context(tokens).validation(0).warmup(0).build();
    NetworkConfig config = NetworkConfig.of(shape, shape.vocabulary(), shape.context());
    return new Trainer(config, options, Map.of(), null, data, kernels, team);
  }

  /** Returns the weights of one layer that a token is multiplied with. */
  private double layerWeights() {
    double queries = (double) shape.heads() * shape.headDim();
    double keys = (double) shape.kvHeads() * shape.headDim();
    int inner = shape.architecture() == Architecture.GPT2 ? 2 : 3;
    return shape.length() * (2 * queries + 2 * keys + (double) inner * shape.inner());
  }

  private double outputWeights() {
    return (double) shape.vocabulary() * shape.length();
  }

  private double operations() {
    double weights = shape.layers() * layerWeights() + outputWeights();
    double seen = (context + 1) / 2.0;
    double attention = 4.0 * shape.heads() * shape.headDim() * seen * shape.layers();
    return PRODUCTS * (double) batch * context * (2 * weights + attention);
  }

  /**
   * Weights are read forward and backward, gradients written and read, both moments read and
   * written, and the weights written.
   */
  private double bytes() {
    double weights = shape.layers() * layerWeights() + outputWeights() * (shape.tied() ? 1 : 2);
    return Float.BYTES * weights * PASSES_OVER_WEIGHTS;
  }
}
