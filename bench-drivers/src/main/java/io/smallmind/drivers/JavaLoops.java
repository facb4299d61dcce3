package io.smallmind.drivers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/**
 * F32 products by loops over arrays, without any blocking: what one writes in Java at first. Rows
 * are shared out among threads, or outputs where there is one row.
 */
final class JavaLoops implements Multiplication {
  private static final int ESTIMATED_OUTPUTS = 4096;
  private static final int CALLS_WITHOUT_GAIN = 50;
  private static final double GAIN = 0.9;
  private static final long LONGEST_NANOS = 2_000_000_000;

  /** Computes the outputs from row and column inclusive to row and column exclusive. */
  @FunctionalInterface
  interface Loop {
    void run(
        float[] a, float[] b, float[] y, int n, int k, int row, int rows, int column, int columns);
  }

  private final Job job;
  private final Loop loop;
  private final float[] a;
  private final List<float[]> b;
  private final float[] y;
  private final ExecutorService pool;

  private JavaLoops(Job job, Loop loop) {
    this.job = job;
    this.loop = loop;
    a = job.aFloats();
    b = IntStream.range(0, job.copies()).mapToObj(i -> job.bFloats()).toList();
    y = new float[job.m() * job.n()];
    pool = Executors.newFixedThreadPool(job.threads());
  }

  /** Returns a driver of two loops. */
  static Multiplier driver(Loop plain, Loop transposed) {
    return job -> new JavaLoops(job, job.transposed() ? transposed : plain);
  }

  @Override
  public void call(int copy) throws Exception {
    float[] weights = b.get(copy);
    int parts = job.threads();
    if (parts == 1) {
      run(weights, 0, job.m(), 0, job.n());
      return;
    }
    List<Callable<Void>> work = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      boolean byRow = job.m() >= parts;
      int of = byRow ? job.m() : job.n();
      int begin = (int) ((long) of * part / parts);
      int end = (int) ((long) of * (part + 1) / parts);
      work.add(
          () -> {
            if (byRow) {
              run(weights, begin, end, 0, job.n());
            } else {
              run(weights, 0, job.m(), begin, end);
            }
            return null;
          });
    }
    for (var done : pool.invokeAll(work)) {
      done.get();
    }
  }

  private void run(float[] weights, int row, int rows, int column, int columns) {
    loop.run(a, weights, y, job.n(), job.k(), row, rows, column, columns);
  }

  /** Goes on while the JIT compiler still makes it faster. */
  @Override
  public double estimateNanos() {
    int columns = Math.min(job.n(), ESTIMATED_OUTPUTS);
    double shortest = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    long now = begin;
    for (int left = CALLS_WITHOUT_GAIN; left > 0 && now - begin < LONGEST_NANOS; left--) {
      long before = now;
      run(b.getFirst(), 0, 1, 0, columns);
      now = System.nanoTime();
      if (now - before < GAIN * shortest) {
        left = CALLS_WITHOUT_GAIN;
      }
      shortest = Math.min(shortest, now - before);
    }
    return shortest / columns * job.m() * job.n() / job.threads();
  }

  @Override
  public float[] result() {
    return y;
  }
}
