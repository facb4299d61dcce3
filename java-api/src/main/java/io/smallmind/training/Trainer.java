package io.smallmind.training;

import io.smallmind.convert.ModelQuantizer;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.FileWriteException;
import io.smallmind.error.TrainingDivergedException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.ProgressListener;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Trains a network, step by step. All memory is allocated at the beginning; steps don't allocate.
 * Not thread-safe: one thread calls, and the team computes.
 *
 * <p>The same options, text, backend and number of threads give the same weights bit for bit, also
 * when the run was interrupted and resumed from a {@linkplain Checkpoint checkpoint}.
 */
public final class Trainer implements AutoCloseable {
  final NetworkConfig config;
  final TrainingOptions options;
  final TokenData data;

  /** What else a model file says: its vocabulary, and what it was trained on. */
  final Map<String, GgufValue> entries;

  final Network network;
  final History history;
  private final Kernels kernels;
  private final Team team;
  private final Arena arena = Arena.ofShared();
  private final AdamW optimizer;
  private final Windows windows;
  private final @Nullable Windows validation;
  private final Team.Work stepWork = this::step;
  private final Team.Work evaluationWork = this::evaluate;

  /** Steps that are done. */
  private long done;

  private double loss;

  /**
   * Prepares a network with random weights.
   *
   * @param entries of the vocabulary and whatever else the model file should say
   * @param lora what adapters to train, or null to train all weights
   * @param data held, but not closed
   * @param team not closed
   * @throws BadArgumentException if the text is too short, or holds tokens the network lacks
   */
  public Trainer(
      NetworkConfig config,
      TrainingOptions options,
      Map<String, GgufValue> entries,
      @Nullable LoraConfig lora,
      TokenData data,
      Kernels kernels,
      Team team) {
    this.config = config;
    this.options = options;
    this.entries = new LinkedHashMap<>(entries);
    this.data = data;
    this.kernels = kernels;
    this.team = team;
    history = new History(options);
    if (options.context() > config.context()) {
      throw new BadArgumentException(
          "a context of "
              + options.context()
              + " tokens: the model has only "
              + config.context()
              + " positions");
    }
    checkTokens(data, config.vocabulary());
    long held = (long) (data.length() * options.validation());
    boolean validates = held > 0;
    long seed = Windows.mix(options.seed());
    windows = new Windows(data, 0, data.length() - held, options.context(), seed);
    validation =
        validates
            ? new Windows(data, data.length() - held, data.length(), options.context(), seed)
            : null;
    try {
      network =
          new Network(
              config,
              kernels,
              team.size(),
              arena,
              options.batch(),
              options.context(),
              options.dropout(),
              options.recomputes(),
              options.accumulation(),
              lora);
      network.parameters.initialize(options.seed());
      if (network.adapters != null) {
        network.adapters.parameters.initialize(options.seed());
      }
      optimizer =
          new AdamW(
              kernels,
              team.size(),
              network.trained(),
              options.beta1(),
              options.beta2(),
              1e-8,
              options.decay(),
              options.maxNorm());
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static void checkTokens(TokenData data, int vocabulary) {
    for (long i = 0; i < data.length(); i++) {
      if (data.token(i) < 0 || data.token(i) >= vocabulary) {
        throw new BadArgumentException(
            "token "
                + data.token(i)
                + " of the text is beyond the vocabulary of "
                + vocabulary
                + "; use the model's own tokenizer");
      }
    }
  }

  /**
   * Takes the weights of a model file, of whatever type, for a beginning.
   *
   * @throws io.smallmind.error.BadModelFileException if a tensor is missing or has another shape
   */
  public void load(GgufFile file) {
    ModelTensors.read(config, network.parameters, file);
  }

  /** Returns the options. */
  public TrainingOptions options() {
    return options;
  }

  /** Returns the sizes of the network. */
  public NetworkConfig config() {
    return config;
  }

  /** Returns the text that it is trained on. */
  public TokenData data() {
    return data;
  }

  /** Says something in the model file, under a key such as {@code general.name}. */
  public void describe(String key, GgufValue value) {
    entries.put(key, value);
  }

  /** Returns the losses so far. */
  public History history() {
    return history;
  }

  /** Returns the number of steps that are done. */
  public long done() {
    return done;
  }

  void setDone(long done) {
    this.done = done;
  }

  /** Returns the number of weights that are trained. */
  public long parameters() {
    return network.trained().count();
  }

  /** Returns the number of tokens that a step reads. */
  public long tokensPerStep() {
    return (long) options.accumulation() * network.tokens.length;
  }

  /** Returns the number of tokens that an epoch reads. */
  public long tokensPerEpoch() {
    return windows.count() * options.context();
  }

  /** Returns the norm of the last step's gradients, before clipping. */
  public double gradientNorm() {
    return optimizer.norm();
  }

  /**
   * Takes one step.
   *
   * @return the mean loss of its batches, before the step
   * @throws TrainingDivergedException if the loss or the gradients are no numbers; the weights are
   *     as before the step
   */
  public double step() {
    loss = 0;
    team.run(stepWork);
    if (!Double.isFinite(loss) || !Double.isFinite(optimizer.norm())) {
      throw new TrainingDivergedException(
          "training diverged at step "
              + (done + 1)
              + ": loss "
              + loss
              + ", norm of gradients "
              + optimizer.norm()
              + "; go on from the last checkpoint with a smaller learning rate");
    }
    done++;
    history.add(done, loss);
    return loss;
  }

  private void step(Team team, int member) {
    for (int part = 0; part < options.accumulation(); part++) {
      if (member == 0) {
        long number = done * options.accumulation() + part;
        for (int row = 0; row < options.batch(); row++) {
          windows.fill(number * options.batch() + row, network.tokens, network.targets, row);
        }
        network.begin(Windows.mix(options.seed() ^ Windows.mix(number)), true);
      }
      team.barrier();
      network.forward(team, member);
      if (member == 0) {
        loss += network.meanLoss() / options.accumulation();
      }
      network.backward(team, member);
    }
    optimizer.step(team, member, done + 1, options.rate(done + 1));
  }

  /** Returns whether there is text to evaluate with. */
  public boolean validates() {
    return validation != null;
  }

  /**
   * Returns the mean loss over the text that is not trained on, as far as it fills windows.
   *
   * @throws BadArgumentException if there is no such text
   */
  public double evaluate() {
    Windows all = validation;
    if (all == null) {
      throw new BadArgumentException("no text was held back; give a share for validation");
    }
    long count = all.countInOrder();
    double sum = 0;
    for (long first = 0; first < count; first += options.batch()) {
      for (int row = 0; row < options.batch(); row++) {
        all.fillInOrder(first + row, network.tokens, network.targets, row);
      }
      network.begin(0, false);
      team.run(evaluationWork);
      // The last batch is filled up with windows that were counted before.
      int windowsLeft = (int) Math.min(options.batch(), count - first);
      sum += network.sumOfLosses(windowsLeft * options.context());
    }
    double mean = sum / (count * options.context());
    history.addEvaluation(done, mean);
    return mean;
  }

  private void evaluate(Team team, int member) {
    network.forward(team, member);
  }

  /**
   * Writes the network as a model file; adapters are merged into its weights.
   *
   * @param mix types of the tensors
   * @throws FileWriteException if the file can't be written
   */
  public void export(Path target, QuantizationMix mix) {
    if (mix == QuantizationMix.F32) {
      write(target);
      return;
    }
    Path whole = target.resolveSibling("." + target.getFileName() + ".f32.tmp");
    try {
      write(whole);
      ModelQuantizer.quantize(whole, target, mix, false, team, ProgressListener.none());
    } finally {
      try {
        Files.deleteIfExists(whole);
      } catch (IOException e) {
        // It is only in the way; what failed before is what the caller must see.
      }
    }
  }

  /** Tells whether adapters are trained, and not the weights themselves. */
  public boolean trainsAdapters() {
    return network.adapters != null;
  }

  /**
   * Writes the adapters as a GGUF file of their own, for inference beside the model that they were
   * trained on.
   *
   * @throws BadArgumentException if no adapters are trained
   * @throws FileWriteException if the file can't be written
   */
  public void exportAdapter(Path target) {
    LoraAdapters adapters = network.adapters;
    if (adapters == null) {
      throw new BadArgumentException("all weights are trained, and no adapters; export the model");
    }
    GgufWriter writer = new GgufWriter();
    adapters.put(config, network.parameters, writer);
    writer.write(target);
  }

  private void write(Path target) {
    GgufWriter writer = new GgufWriter();
    config.put(writer);
    writer.put("general.file_type", QuantizationMix.F32.fileType());
    entries.forEach(writer::put);
    writer.put("smallmind.training.steps", done);
    double reached = history.bestEvaluation();
    if (!Double.isNaN(reached)) {
      writer.put("smallmind.training.validation_loss", (float) reached);
    }
    LoraAdapters adapters = network.adapters;
    if (adapters == null) {
      ModelTensors.put(config, network.parameters, writer);
      writer.write(target);
      return;
    }
    try (Arena copies = Arena.ofShared()) {
      ParameterSet merged = new ParameterSet(Network.specs(config), true, copies);
      merged.values.copyFrom(network.parameters.values);
      adapters.mergeInto(merged);
      ModelTensors.put(config, merged, writer);
      writer.write(target);
    }
  }

  /** Frees all memory. */
  @Override
  public void close() {
    arena.close();
  }
}
