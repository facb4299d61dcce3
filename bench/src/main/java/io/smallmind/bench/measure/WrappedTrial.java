package io.smallmind.bench.measure;

import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** A trial that does another one's work, in a condition of its own; closed with it. */
abstract class WrappedTrial extends Trial {
  private final Trial inner;

  /**
   * Creates a trial.
   *
   * @param inner what is timed; closed with this
   */
  WrappedTrial(Trial inner, String variant, Role role) {
    super(variant, role, inner.threads());
    this.inner = inner;
  }

  /** Makes the condition. */
  abstract void enter();

  /** Ends it. */
  abstract void leave();

  @Override
  public final void begin() {
    enter();
    boolean begun = false;
    try {
      inner.begin();
      begun = true;
    } finally {
      if (!begun) {
        leave(); // What did not begin does not end.
      }
    }
  }

  @Override
  public final void end() {
    try {
      inner.end();
    } finally {
      leave();
    }
  }

  @Override
  public String unavailable() {
    return inner.unavailable();
  }

  @Override
  public double estimateNanos() {
    return inner.estimateNanos();
  }

  @Override
  public Verdict verify() {
    return inner.verify();
  }

  @Override
  public double operations() {
    return inner.operations();
  }

  @Override
  public double bytes() {
    return inner.bytes();
  }

  @Override
  public int leastCalls() {
    return inner.leastCalls();
  }

  @Override
  public int seriesLength() {
    return inner.seriesLength();
  }

  @Override
  public void endRound() {
    inner.endRound();
  }

  @Override
  public List<Part> parts() {
    return inner.parts();
  }

  @Override
  public Map<String, Double> figures() {
    return inner.figures();
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    return inner.timeSlice(nanos);
  }

  @Override
  public void call() {
    inner.call();
  }

  @Override
  public void close() {
    inner.close();
  }
}
