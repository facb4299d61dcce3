package io.smallmind.bench.measure;

import io.smallmind.bench.host.CpuGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A trial that is timed over many periods of a quota. Who used a period's share up stands still for
 * the rest of it: the median call falls between two stops and shows nothing of them, so a slice is
 * one sample, the mean of its calls. For the quotient to be of like and like, the same trial
 * without a quota is timed so too.
 */
public final class QuotaTrial extends WrappedTrial {
  /** Ten periods. */
  private static final long SLICE_NANOS = 1_000_000_000;

  private final Trial inner;
  private final @Nullable CpuGroup group;

  /**
   * Creates a trial.
   *
   * @param inner what is timed, of this library or another; closed with this
   * @param group it works in, and the processes that it starts; null for none. Closed by whoever
   *     made it
   */
  public QuotaTrial(Trial inner, @Nullable CpuGroup group) {
    super(
        inner,
        group == null
            ? inner.variant()
            : Condition.of(inner.variant(), Condition.quota(group.processors())),
        group == null ? inner.role() : inner.role().varied());
    this.inner = inner;
    this.group = group;
  }

  @Override
  void enter() {
    try {
      if (group != null) {
        group.enter();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  void leave() {
    try {
      if (group != null) {
        group.leave();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  private <T> T inside(Supplier<T> step) {
    enter();
    try {
      return step.get();
    } finally {
      leave();
    }
  }

  @Override
  public double estimateNanos() {
    return inside(inner::estimateNanos);
  }

  /** Inside, since a rival's process starts here, and stays where it started. */
  @Override
  public Verdict verify() {
    return inside(inner::verify);
  }

  @Override
  public int seriesLength() {
    return 0;
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    long[] total = new long[2]; // nanoseconds, calls
    long begin = System.nanoTime();
    do {
      long before = System.nanoTime();
      boolean timedItself =
          inner.timeSlice(
              time -> {
                total[0] += time;
                total[1]++;
              });
      if (!timedItself) {
        for (int i = 0; i < inner.leastCalls(); i++) {
          inner.call();
          total[1]++;
        }
        total[0] += System.nanoTime() - before;
      }
    } while (System.nanoTime() - begin < SLICE_NANOS);
    nanos.accept(total[0] / total[1]);
    return true;
  }
}
