package io.smallmind.bench.measure;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Runs the trials of a case: each is verified and warmed up, then all take turns, A B A B, so that
 * whatever the machine does meanwhile hits all of them.
 */
public final class Interleaver {
  /** Told what is going on. */
  @FunctionalInterface
  public interface Listener {
    /** Comes before every step of a trial. */
    void at(Trial trial, String step);
  }

  /** Shorter calls are timed several at once: reading the clock takes some 25 ns. */
  private static final long SAMPLE_NANOS = 10_000;

  private static final int WARM_UP_WINDOWS = 3;

  /** What the JIT compiler has not even begun to compile can look stable. */
  private static final int SHORTEST_WARM_UP_SHARE = 8;

  private static final double STABLE = 0.03;
  private static final long SHORTEST_WINDOW_NANOS = 10_000_000;
  private static final int LARGEST_HEAP_RUN = 1000;
  private static final int HEAP_COUNTS = 3;

  private final Pace pace;
  private final Listener listener;

  /** Creates a runner. */
  public Interleaver(Pace pace, Listener listener) {
    this.pace = pace;
    this.listener = listener;
  }

  /** A trial that is being measured. */
  private static final class Entry {
    final Trial trial;
    final Samples samples = new Samples();
    @Nullable Verdict verdict;
    @Nullable Outcome early;
    long batch = 1;
    boolean timesItself;
    double callNanos;
    long collections;
    final List<Double> heapBytesPerCall = new ArrayList<>(); // each time they were counted
    final long[] series; // (calls): of the present slice
    final List<long[]> seriesByRound = new ArrayList<>();

    Entry(Trial trial) {
      this.trial = trial;
      series = new long[trial.seriesLength()];
    }

    /**
     * Returns the heap bytes of a call that are allocated time and again: the lower median. Some
     * are allocated once, such as the string constants of a class, by whoever calls a method of it
     * when the JVM has it compiled.
     */
    @Nullable Double heapBytes() {
      List<Double> counts = heapBytesPerCall.stream().sorted().toList();
      return counts.isEmpty() ? null : counts.get((counts.size() - 1) / 2);
    }

    /** Returns the median over the rounds of each call's time. */
    List<Double> medianSeries() {
      List<Double> medians = new ArrayList<>();
      for (int call = 0; batch == 1 && !seriesByRound.isEmpty() && call < series.length; call++) {
        long[] times = new long[seriesByRound.size()];
        for (int round = 0; round < times.length; round++) {
          times[round] = seriesByRound.get(round)[call];
        }
        Arrays.sort(times);
        medians.add((double) times[times.length / 2]);
      }
      return medians;
    }
  }

  /**
   * Runs trials and returns what came of each, in the same order. Trials are not closed.
   *
   * @param trials at least one
   */
  public List<Outcome> run(List<Trial> trials) {
    List<Entry> entries = trials.stream().map(Entry::new).toList();
    HeapMeter heap = new HeapMeter();
    for (Entry entry : entries) {
      attempt(entry, () -> prepare(entry));
    }
    for (int round = 1; round <= pace.rounds(); round++) {
      for (Entry entry : entries) {
        String step = "round " + round + " of " + pace.rounds();
        attempt(entry, () -> slice(entry, heap, step));
      }
    }
    for (Entry entry : entries) {
      attempt(entry, () -> countHeap(entry, heap));
    }
    return entries.stream().map(Interleaver::outcome).toList();
  }

  /** Does a step of a trial; if it throws, that is the trial's outcome, and the others go on. */
  private static void attempt(Entry entry, Runnable step) {
    if (entry.early != null) {
      return;
    }
    try {
      step.run();
    } catch (RuntimeException | LinkageError | AssertionError | OutOfMemoryError failure) {
      entry.early = Outcome.failed(entry.trial, entry.verdict, failure);
    }
  }

  private void prepare(Entry entry) {
    Trial trial = entry.trial;
    String unavailable = trial.unavailable();
    if (!unavailable.isEmpty()) {
      entry.early = Outcome.skipped(trial, unavailable);
      return;
    }
    listener.at(trial, "estimating");
    double estimate = trial.estimateNanos();
    if (estimate > pace.capNanos()) {
      String message =
          String.format(
              Locale.ROOT,
              "about %.1f s per call; --cap is %.1f s",
              estimate / 1e9,
              pace.capNanos() / 1e9);
      entry.early = Outcome.skipped(trial, message);
      return;
    }
    listener.at(trial, "verifying");
    Verdict verdict = trial.verify();
    entry.verdict = verdict;
    if (!verdict.isRight()) {
      entry.early = Outcome.wrong(trial, verdict);
      return;
    }
    listener.at(trial, "warming up");
    trial.begin();
    try {
      long begin = System.nanoTime();
      do {
        entry.timesItself = trial.timeSlice(nanos -> {});
      } while (entry.timesItself && System.nanoTime() - begin < pace.warmUpNanos());
      if (!entry.timesItself) {
        entry.callNanos = warmUp(trial);
        entry.batch = Math.max(1, Math.round(SAMPLE_NANOS / entry.callNanos));
      }
    } finally {
      trial.end();
    }
  }

  /**
   * Calls until the medians of a few windows in a row agree, and the JIT compiler finished nothing
   * meanwhile; returns the last of them.
   */
  private double warmUp(Trial trial) {
    long window = Math.max(SHORTEST_WINDOW_NANOS, pace.warmUpNanos() / 40);
    double[] medians = new double[WARM_UP_WINDOWS];
    Arrays.fill(medians, Double.NaN);
    long begin = System.nanoTime();
    long compiled = compilationMillis();
    for (int i = 0; ; i++) {
      double median = windowMedian(trial, window);
      long compiledSince = compilationMillis();
      if (compiledSince > compiled) {
        Arrays.fill(medians, Double.NaN);
      }
      compiled = compiledSince;
      medians[i % WARM_UP_WINDOWS] = median;
      double lowest = Arrays.stream(medians).min().getAsDouble();
      double highest = Arrays.stream(medians).max().getAsDouble();
      boolean stable = highest - lowest <= STABLE * lowest; // false while a NaN is left
      long elapsed = System.nanoTime() - begin;
      if (elapsed > pace.warmUpNanos()
          || (stable && elapsed > pace.warmUpNanos() / SHORTEST_WARM_UP_SHARE)) {
        return median;
      }
    }
  }

  private static long compilationMillis() {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    return compiler != null && compiler.isCompilationTimeMonitoringSupported()
        ? compiler.getTotalCompilationTime()
        : 0;
  }

  private static double windowMedian(Trial trial, long window) {
    List<Long> times = new ArrayList<>();
    long begin = System.nanoTime();
    long now = begin;
    do {
      long before = now;
      trial.call();
      now = System.nanoTime();
      times.add(now - before);
    } while (now - begin < window);
    times.sort(null);
    return Math.max(1, times.get(times.size() / 2));
  }

  private void slice(Entry entry, HeapMeter heap, String step) {
    Trial trial = entry.trial;
    listener.at(trial, step);
    trial.begin();
    try {
      if (entry.timesItself) {
        trial.timeSlice(nanos -> entry.samples.record(nanos, 1));
      } else {
        timeCalls(entry, heap);
      }
    } finally {
      trial.end();
    }
    entry.samples.endRound();
    trial.endRound();
  }

  private void timeCalls(Entry entry, HeapMeter heap) {
    Trial trial = entry.trial;
    if (entry.callNanos < pace.sliceNanos()) {
      trial.call(); // The trial before left the caches full of its own data.
    }
    long collections = heap.collections();
    long allocated = heap.allocatedBytes();
    long begin = System.nanoTime();
    long now;
    int calls = 0;
    do {
      long before = System.nanoTime();
      for (long i = 0; i < entry.batch; i++) {
        trial.call();
      }
      now = System.nanoTime();
      entry.samples.record(now - before, entry.batch);
      if (calls < entry.series.length) {
        entry.series[calls] = now - before;
      }
      calls++;
    } while (now - begin < pace.sliceNanos() || calls < trial.leastCalls());
    if (entry.callNanos > pace.sliceNanos()) {
      entry.heapBytesPerCall.add((double) (heap.allocatedBytes() - allocated) / calls);
    }
    entry.collections += heap.collections() - collections;
    entry.seriesByRound.add(entry.series.clone());
  }

  /**
   * Counts by itself: the bookkeeping of the other steps allocates too. Beside a long call that is
   * nothing, and a call more would take too long.
   */
  private void countHeap(Entry entry, HeapMeter heap) {
    if (entry.timesItself || !entry.heapBytesPerCall.isEmpty()) {
      return; // What another process allocates is not on this heap.
    }
    Trial trial = entry.trial;
    listener.at(trial, "counting heap bytes");
    double callNanos = entry.samples.statistics(entry.batch).median();
    long calls =
        Math.clamp(
            Math.round(pace.sliceNanos() / callNanos / 4 / HEAP_COUNTS), 1, LARGEST_HEAP_RUN);
    trial.begin();
    try {
      for (int count = 0; count < HEAP_COUNTS; count++) {
        long before = heap.allocatedBytes();
        for (long i = 0; i < calls; i++) {
          trial.call();
        }
        entry.heapBytesPerCall.add((double) (heap.allocatedBytes() - before) / calls);
      }
    } finally {
      trial.end();
    }
  }

  private static Outcome outcome(Entry entry) {
    if (entry.early != null) {
      return entry.early;
    }
    return new Outcome(
        entry.trial,
        Outcome.Status.OK,
        "",
        entry.verdict,
        entry.samples.statistics(entry.batch),
        entry.heapBytes(),
        entry.collections,
        entry.medianSeries(),
        null);
  }
}
