package io.smallmind.bench.work;

/** Guesses how long work takes from a small part of it. */
final class Estimate {
  /** Any backend does so many operations in a moment: not worth an estimate. */
  static final double SHORT_OPERATIONS = 5e7;

  /** Long enough for the JIT compiler to have had a first go. */
  private static final long NANOS = 60_000_000;

  private Estimate() {}

  /** Returns the shortest time of several calls, in nanoseconds. */
  static double shortest(Runnable call) {
    double shortest = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    long now = begin;
    do {
      long before = now;
      call.run();
      now = System.nanoTime();
      shortest = Math.min(shortest, now - before);
    } while (now - begin < NANOS);
    return shortest;
  }
}
