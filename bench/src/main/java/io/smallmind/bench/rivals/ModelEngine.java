package io.smallmind.bench.rivals;

import java.io.IOException;

/** A running engine with a model. It times itself: the way to its process is not counted. */
public interface ModelEngine extends RivalEngine {
  /** Returns how long it loaded the model, in nanoseconds; 0 if it does not tell. */
  default long loadNanos() {
    return 0;
  }

  /**
   * Reads a prompt up to the scores behind it.
   *
   * @param depth tokens of context before
   * @return nanoseconds of each time it did so
   */
  long[] prefill(int[] tokens, int depth) throws IOException;

  /**
   * Computes tokens one by one, in all sessions side by side.
   *
   * @param depth tokens of context before
   * @return nanoseconds of each step
   */
  long[] decode(int[] tokens, int depth) throws IOException;

  /**
   * Returns scores behind a prompt, so that they can be checked.
   *
   * @param count how many, of the first tokens in the vocabulary
   * @return empty if this engine does not tell
   */
  float[] scores(int[] tokens, int count) throws IOException;
}
