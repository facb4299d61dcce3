package io.smallmind.bench.rivals;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A trial of somebody else's, in a process of its own that times itself. */
public abstract class RivalTrial<E extends RivalEngine> extends Trial {
  /** How long threads of others spin after their work, in milliseconds. */
  private static final long SPIN_MILLIS = 200;

  private final Rival rival;
  private @Nullable E engine;

  /** Creates a trial; the rival starts when it is first needed. */
  protected RivalTrial(Rival rival, int threads) {
    super(rival.name(), Role.BASELINE, threads);
    this.rival = rival;
  }

  /** Starts the rival. */
  protected abstract E open() throws IOException;

  /** Lets it work once, and compares its results. */
  protected abstract Verdict check(E running) throws IOException;

  /** Lets it work for a slice. */
  protected abstract void time(E running, LongConsumer nanos) throws IOException;

  /** Lets it tell how long a call will take; 0 if it is surely short. */
  protected double estimate(E running) throws IOException {
    return 0;
  }

  @Override
  public String unavailable() {
    return rival.missing();
  }

  /** A question to the rival. */
  @FunctionalInterface
  private interface Question<E, T> {
    T ask(E running) throws IOException;
  }

  private <T> T ask(Question<E, T> question) {
    try {
      E running = engine;
      if (running == null) {
        running = open();
        engine = running;
      }
      return question.ask(running);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public final double estimateNanos() {
    return ask(this::estimate);
  }

  @Override
  public final Verdict verify() {
    try {
      return ask(this::check);
    } finally {
      end();
    }
  }

  @Override
  public final boolean timeSlice(LongConsumer nanos) {
    return ask(
        running -> {
          time(running, nanos);
          return true;
        });
  }

  @Override
  public final void call() {
    throw new IllegalStateException("a rival times itself");
  }

  /** Lets its threads fall asleep. */
  @Override
  public final void end() {
    try {
      Thread.sleep(SPIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public final void close() {
    if (engine != null) {
      engine.close();
      engine = null;
    }
  }
}
