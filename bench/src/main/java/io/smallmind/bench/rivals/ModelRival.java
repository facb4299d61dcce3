package io.smallmind.bench.rivals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Another engine for the same model files. Not thread-safe. */
public interface ModelRival {
  /** Returns its name. */
  String name();

  /** Returns why it can't run here and what to do about it; empty if it can. */
  String missing();

  /** Returns what exactly is measured: versions, and how they were built. */
  String detail();

  /**
   * Fetches it with its own package manager.
   *
   * @param log hears what is going on
   * @throws IOException if it can't be fetched, with the reason
   */
  void install(Consumer<String> log) throws IOException;

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
   * Starts it with a model.
   *
   * @throws IOException if it does not start
   */
  ModelEngine open(Setup setup) throws IOException;
}
