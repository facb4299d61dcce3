package io.smallmind.model;

import io.smallmind.error.BadArgumentException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Lifetime;
import io.smallmind.tensor.TensorType;
import java.nio.file.Path;

/**
 * A language model's weights and their forward pass. Immutable and thread-safe: any number of
 * sessions and batches may use it from any thread; passes that come at the same time take turns on
 * the team.
 */
public final class Model implements AutoCloseable {
  private final ModelConfig config;
  private final ModelWeights weights;
  private final Kernels kernels;
  private final Team team;
  private final Lifetime lifetime;

  private Model(
      GgufFile file, ModelConfig config, ModelWeights weights, Kernels kernels, Team team) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.team = team;
    lifetime =
        new Lifetime(
            "this model",
            () -> {
              weights.close();
              file.release();
            });
  }

  /**
   * Loads a model.
   *
   * @param file held open until the model is closed, and so is the options' adapter
   * @throws io.smallmind.error.BadModelFileException if the file is no consistent model
   * @throws io.smallmind.error.UnsupportedFormatException if its family or a tensor type is unknown
   * @throws io.smallmind.error.OutOfMemoryException if the weights don't fit into memory
   * @throws io.smallmind.error.FileWriteException if packed weights shall be kept, and can't be
   * @throws io.smallmind.error.ClosedException if the file or the adapter was closed
   */
  public static Model load(GgufFile file, Kernels kernels, Team team, LoadOptions options) {
    file.acquire();
    try {
      ModelConfig config = ConfigReader.read(file);
      ModelWeights weights = new ModelWeights(file, config, kernels, team, options);
      if (options.pack()) {
        file.dropPages();
      }
      return new Model(file, config, weights, kernels, team);
    } catch (Throwable e) {
      file.release();
      throw e;
    }
  }

  /**
   * Returns the file in which a backend's packed weights of a model are kept if {@link
   * LoadOptions#keepPacked} asks for it, and if that backend packs any. It may be deleted whenever
   * the system lets it be, but never cut short.
   *
   * @param gguf path of the model
   */
  public static Path keptFile(Path gguf, Kernels kernels) {
    return PackedFile.beside(gguf, kernels);
  }

  /** Returns the configuration. */
  public ModelConfig config() {
    return config;
  }

  /** Returns the kernels that run this model. */
  public Kernels kernels() {
    return kernels;
  }

  /** Returns the threads that run this model. */
  public Team team() {
    return team;
  }

  /**
   * Creates the memory of a session.
   *
   * @param type F16, or Q8_0 to halve it where the length of a head is a multiple of 32
   * @param capacity most tokens to remember
   * @throws BadArgumentException if the type does not fit, or the capacity is not positive, or
   *     larger than the learned positions of the model
   */
  public KvCache newCache(TensorType type, int capacity) {
    if (capacity < 1) {
      throw new BadArgumentException("a context of " + capacity + " tokens: choose at least 1");
    }
    if (weights.positionEmbeddings != null && capacity > config.contextLength()) {
      throw new BadArgumentException(
          "a context of "
              + capacity
              + " tokens: this model has learned only "
              + config.contextLength()
              + " positions");
    }
    return new KvCache(config, type, capacity);
  }

  /**
   * Creates the buffers of forward passes.
   *
   * @param maxRows most tokens per pass
   * @param maxOutputs most rows with logits per pass
   * @throws BadArgumentException if either is not positive
   */
  public Batch newBatch(int maxRows, int maxOutputs) {
    if (maxRows < 1 || maxOutputs < 1) {
      throw new BadArgumentException(
          "a batch of " + maxRows + " rows, " + maxOutputs + " with logits: choose at least 1");
    }
    Batch batch = new Batch(config, kernels, team.size(), maxRows, maxOutputs);
    batch.pass = new ForwardPass(config, weights, kernels, team, batch);
    return batch;
  }

  /**
   * Runs a batch through the model. If it ends well, the sessions remember their new tokens, and
   * the batch holds the logits; if it is cancelled or fails, the sessions are as before.
   *
   * @param batch of this model, with at least one row
   * @return false if it was cancelled
   * @throws io.smallmind.error.ClosedException if the model was closed
   */
  public boolean forward(Batch batch) {
    ForwardPass pass = batch.pass;
    if (pass == null || !pass.belongsTo(this)) {
      throw new BadArgumentException("this batch was made by another model");
    }
    if (batch.rows() == 0) {
      throw new BadArgumentException("the batch is empty; add a token first");
    }
    lifetime.acquire();
    try {
      if (!pass.run(team)) {
        return false;
      }
      for (int index = 0; index < batch.runCount(); index++) {
        Batch.Run run = batch.run(index);
        run.cache().commit(run.position + run.end - run.begin);
      }
      return true;
    } finally {
      lifetime.release();
    }
  }

  ModelWeights weights() {
    return weights;
  }

  /** Frees the weights as soon as no pass runs any more. */
  @Override
  public void close() {
    lifetime.close();
  }
}
