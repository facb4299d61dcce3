package io.smallmind.drivers;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;

/** Times calls as the bench times its own: short ones several at once. */
final class Stopwatch {
  /** Reading the clock takes some 25 ns. */
  private static final long SAMPLE_NANOS = 10_000;

  private Stopwatch() {}

  /** What is timed. */
  @FunctionalInterface
  interface Call {
    void run() throws Exception;
  }

  /**
   * Calls for some time, at least once.
   *
   * @param warmUpNanos before that, not counted
   * @return the time of each call, in nanoseconds
   */
  static JsonObject time(Call call, long warmUpNanos, long sliceNanos) throws Exception {
    if (warmUpNanos > 0) {
      run(call, warmUpNanos, 1, new JsonArray());
    }
    long before = System.nanoTime();
    call.run(); // The one before left the caches full of its own data.
    long first = Math.max(1, System.nanoTime() - before);
    JsonArray nanos = new JsonArray();
    run(call, sliceNanos, Math.max(1, SAMPLE_NANOS / first), nanos);
    JsonObject answer = new JsonObject();
    answer.add("nanos", nanos);
    return answer;
  }

  private static void run(Call call, long sliceNanos, long batch, JsonArray nanos)
      throws Exception {
    long begin = System.nanoTime();
    long now = begin;
    do {
      long before = now;
      for (long i = 0; i < batch; i++) {
        call.run();
      }
      now = System.nanoTime();
      nanos.add((double) (now - before) / batch);
    } while (now - begin < sliceNanos);
  }
}
