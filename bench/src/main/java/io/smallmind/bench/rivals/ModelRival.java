package io.smallmind.bench.rivals;

import java.io.IOException;
import java.nio.file.Path;

/** Another engine for the same model files. Not thread-safe. */
public interface ModelRival extends Rival {
  /**
   * How a model is run.
   *
   * @param capacity most tokens of a session
   * @param batchRows most tokens per forward pass
   * @param cacheType of keys and values, as GGUF names it
   */
  record Setup(
      Path model, int threads, int sessions, int capacity, int batchRows, String cacheType) {}

  /**
   * Returns why it does not run models of a type; empty if it does.
   *
   * @param type as the bench names it: of most weights, or a mix
   */
  default String refuses(String type) {
    return "";
  }

  /** Returns whether its engines tell how long they load. */
  default boolean tellsLoading() {
    return false;
  }

  /**
   * Starts it with a model.
   *
   * @throws IOException if it does not start
   */
  ModelEngine open(Setup setup) throws IOException;
}
