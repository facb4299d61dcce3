package io.smallmind.bench.rivals;

import java.io.IOException;

/** Another library that trains networks. Not thread-safe. */
public interface TrainingRival extends Rival {
  /**
   * A GPT-2 with random weights, and how it is trained.
   *
   * @param positions longest context that it could learn
   * @param length values per token
   * @param context tokens of a sequence
   * @param rate of learning
   * @param decay of weights
   */
  record Network(
      int vocabulary,
      int positions,
      int length,
      int layers,
      int heads,
      int context,
      double rate,
      double decay,
      long seed,
      int threads) {}

  /**
   * Starts it with a network.
   *
   * @throws IOException if it does not start
   */
  TrainingEngine openTraining(Network network) throws IOException;
}
