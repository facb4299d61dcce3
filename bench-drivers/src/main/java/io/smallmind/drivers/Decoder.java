package io.smallmind.drivers;

import com.google.gson.JsonObject;

/** A model with one context. Not thread-safe. */
interface Decoder {
  /**
   * Reads tokens behind a part of the context; what was behind it is forgotten.
   *
   * @param position tokens of the context that stay
   * @return scores of the last token, at least of the first tokens in the vocabulary
   */
  float[] read(int[] tokens, int position) throws Exception;

  /** Loads a model. */
  @FunctionalInterface
  interface Loader {
    /**
     * Loads what a request names: model (a path), threads, capacity (most tokens of the context),
     * batchRows (most tokens that are read at once).
     */
    Decoder load(JsonObject request) throws Exception;
  }
}
