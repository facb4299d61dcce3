package io.smallmind.bench.rivals;

import java.io.IOException;
import java.util.function.Consumer;

/** Another system to compare with. Not thread-safe. */
public interface Rival {
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
}
