package io.smallmind.bench.work;

/** Guesses how long work takes from a small part of it. */
final class Estimate {
  /** Any backend does so many operations in a moment: not worth an estimate. */
  static final double SHORT_OPERATIONS = 5e7;

  /**
   * Java's vector operations take a thousand times as long until the JIT compiler has seen them, so
   * calls go on while they still get shorter.
   */
  private static final int CALLS_WITHOUT_GAIN = 20;

  private static final double GAIN = 0.9;
  private static final long LONGEST_NANOS = 6_000_000_000L;

  private Estimate() {}

  /** Returns the shortest time of several calls, in nanoseconds. */
  static double shortest(Runnable call) {
    double shortest = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    long now = begin;
    for (int left = CALLS_WITHOUT_GAIN; left > 0 && now - begin < LONGEST_NANOS; left--) {
      long before = now;
      call.run();
      now = System.nanoTime();
      if (now - before < GAIN * shortest) {
        left = CALLS_WITHOUT_GAIN;
      }
      shortest = Math.min(shortest, now - before);
    }
    return shortest;
  }
}
