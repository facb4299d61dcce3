package io.smallmind.training;

import io.smallmind.error.BadArgumentException;

/**
 * Which adapters to train beside frozen weights (Hu et al. 2021).
 *
 * @param rank of the adapters
 * @param alpha adapters are scaled by alpha / rank
 */
public record LoraConfig(int rank, double alpha) {
  /** Checks the values. */
  public LoraConfig {
    if (rank < 1 || rank > 1024 || !(alpha > 0)) {
      throw new BadArgumentException(
          "rank " + rank + ", alpha " + alpha + ": choose 1 to 1024, and above 0");
    }
  }

  /** Returns the factor of the adapters. */
  float scale() {
    return (float) (alpha / rank);
  }
}
