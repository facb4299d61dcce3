package io.smallmind.drivers;

/** A product that is prepared, and computed again and again. Not thread-safe. */
interface Multiplication {
  /**
   * Computes the product.
   *
   * @param copy which of the weights
   */
  void call(int copy) throws Exception;

  /** Returns what the last call computed: (m, n) row-major. */
  float[] result() throws Exception;

  /** Estimates a call's time from a part of it, in nanoseconds; 0 if it is surely short. */
  default double estimateNanos() throws Exception {
    return 0;
  }
}
