package io.smallmind.kernels;

/**
 * How a matmul is shared out among the members of a team. Of many tokens each member takes some,
 * with all their outputs, so that what they are made from and become stays in its caches. Of few
 * tokens each member computes other outputs: a fixed part of equal shares, which costs nothing to
 * hand out, and a rest in chunks, which members claim as they get ready, so that members of unequal
 * speed end together. The chunks get smaller towards the end: each interrupts the stream of memory,
 * which then takes a microsecond to get going. All is counted in units of some rows of weights.
 */
public final class Shares {
  /** Units have about so many rows, which are the least that the native kernels take at once. */
  private static final long UNIT_ROWS = 32;

  /** Weights of this size are read in less time than unequal speeds make a difference. */
  private static final long SMALL_BYTES = 3 * 1024 * 1024;

  /** The smallest chunk of weights takes some microseconds to read: much more than to begin. */
  private static final long CHUNK_BYTES = 256 * 1024;

  /** From this many tokens on, time goes to multiplying rather than to reading weights. */
  private static final long MANY_TOKENS = 16;

  /** Kernels prepare many tokens anew for each call: this makes that small beside the products. */
  private static final long MANY_TOKENS_ROWS = 128;

  /**
   * Members that each take some tokens read all weights each, in a time that grows with their
   * tokens: from this many tokens per square of members on, memory serves all of them.
   */
  private static final long KEPT_TOKENS = 4;

  private Shares() {}

  /** Tells whether members take some tokens with all their outputs, rather than some outputs. */
  public static boolean keepRows(long tokens, long members) {
    return tokens >= KEPT_TOKENS * members * members;
  }

  /** Returns the rows of a unit: a multiple of the kernels' row group. */
  public static long unitRows(Kernels kernels, PackedWeights w) {
    long group = kernels.rowGroup(w.type());
    return (UNIT_ROWS + group - 1) / group * group;
  }

  /** Returns the number of units of a matrix; the last one may have fewer rows. */
  public static long units(Kernels kernels, PackedWeights w) {
    long unit = unitRows(kernels, w);
    return (w.rows() + unit - 1) / unit;
  }

  /**
   * Returns how many of the units are shared out evenly.
   *
   * @param bytes size of the weights
   * @param tokens rows of activations
   */
  public static long fixed(long units, long bytes, long tokens, long members) {
    if (members == 1) {
      return units;
    }
    if (tokens >= MANY_TOKENS) {
      return units / 2;
    }
    return bytes <= SMALL_BYTES ? units : units * 3 / 4;
  }

  /** Returns how many units a member claims at least, of those that are not shared out. */
  public static long chunk(long units, long bytes, long tokens) {
    long chunk =
        tokens >= MANY_TOKENS
            ? MANY_TOKENS_ROWS / UNIT_ROWS
            : CHUNK_BYTES / Math.max(1, bytes / Math.max(1, units));
    return Math.max(1, chunk);
  }

  /**
   * Returns the first unit of a claim, which ends where the next one begins: what a member would
   * get if all got the same of the rest, or the least chunk if that is more.
   *
   * @param claim 0 for the first one
   * @param units to be claimed, which is also the result if there are not so many claims
   */
  public static long claimed(long claim, long units, long chunk, long members) {
    long begin = 0;
    for (long i = 0; i < claim && begin < units; i++) {
      begin += Math.max(chunk, (units - begin) / members);
    }
    return Math.min(begin, units);
  }
}
