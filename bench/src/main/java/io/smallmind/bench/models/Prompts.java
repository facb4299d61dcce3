package io.smallmind.bench.models;

import java.util.SplittableRandom;

/** Texts to read: random tokens, the same in every run. Speed doesn't depend on them. */
final class Prompts {
  private static final long SEED = 20_260_101;

  private Prompts() {}

  /** Returns the token at a position. */
  static int token(int position, int vocabulary) {
    return new SplittableRandom(SEED + position).nextInt(vocabulary);
  }

  /** Returns the tokens at the first positions. */
  static int[] tokens(int count, int vocabulary) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = token(i, vocabulary);
    }
    return tokens;
  }
}
