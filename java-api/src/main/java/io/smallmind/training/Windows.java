package io.smallmind.training;

import io.smallmind.error.BadArgumentException;

/**
 * Cuts tokens into windows of equal length, and shuffles them: each window comes once per epoch, in
 * an order of the epoch's own, and windows begin elsewhere in each epoch. Nothing is remembered: a
 * window follows from its number.
 */
final class Windows {
  private static final int ROUNDS = 4;

  private final TokenData data;
  private final long begin;
  private final long count;
  private final long countInOrder;
  private final int context;
  private final long slack;
  private final long seed;

  /**
   * Cuts the tokens from begin to end.
   *
   * @param context tokens per window; each needs one more, which it should foretell
   * @throws BadArgumentException if there are too few tokens
   */
  Windows(TokenData data, long begin, long end, int context, long seed) {
    this.data = data;
    this.begin = begin;
    this.context = context;
    this.seed = seed;
    long usable = end - begin - 1;
    if (usable < context) {
      throw new BadArgumentException(
          "not enough text: "
              + (end - begin)
              + " tokens can't fill a context of "
              + context
              + "; give more text, or a smaller context or share for validation");
    }
    countInOrder = usable / context;
    count = Math.max(1, countInOrder - 1); // One less, so that windows can begin elsewhere.
    slack = Math.min(context - 1, usable - count * context);
  }

  /** Returns the number of windows per epoch. */
  long count() {
    return count;
  }

  /** Returns the number of windows in the text's order. */
  long countInOrder() {
    return countInOrder;
  }

  /** Fills a row of a batch with the window of this number, shuffled. */
  void fill(long number, int[] tokens, int[] targets, int row) {
    long epoch = number / count;
    long offset = Long.remainderUnsigned(mix(seed + epoch), slack + 1);
    fillAt(begin + offset + shuffled(number % count, epoch) * context, tokens, targets, row);
  }

  /** Fills a row of a batch with the window of this number, in the text's order. */
  void fillInOrder(long number, int[] tokens, int[] targets, int row) {
    fillAt(begin + number % countInOrder * context, tokens, targets, row);
  }

  private void fillAt(long at, int[] tokens, int[] targets, int row) {
    for (int i = 0; i < context; i++) {
      tokens[row * context + i] = data.token(at + i);
      targets[row * context + i] = data.token(at + i + 1);
    }
  }

  /**
   * Returns where a permutation of all windows puts one: a Feistel network over the next larger
   * square of a power of two, walked on until it comes back into the range.
   */
  private long shuffled(long index, long epoch) {
    int half = (64 - Long.numberOfLeadingZeros(count - 1) + 1) / 2;
    long mask = (1L << half) - 1;
    long at = index;
    do {
      for (int round = 0; round < ROUNDS; round++) {
        long key = mix(seed ^ (epoch * ROUNDS + round) * 0x9E3779B97F4A7C15L);
        long left = at >>> half;
        long right = at & mask;
        at = right << half | (left ^ (mix(key + right) & mask));
      }
    } while (at >= count);
    return at;
  }

  /** The finalizer of SplitMix64. */
  static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
