package io.smallmind.bench.measure;

import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** A backend's trial whose slices run beside busy processes, which rest at all other times. */
public final class BesideTrial extends Trial {
  private final Trial inner;
  private final ForeignLoad load;

  /**
   * Creates a trial.
   *
   * @param inner what is timed; closed with this
   * @param load closed by whoever made it
   */
  public BesideTrial(Trial inner, ForeignLoad load) {
    super(
        Condition.of(inner.variant(), Condition.beside(load.count())),
        Role.VARIANT,
        inner.threads());
    this.inner = inner;
    this.load = load;
  }

  @Override
  public void begin() {
    load.begin();
    try {
      inner.begin();
    } catch (RuntimeException e) {
      load.end(); // What did not begin does not end.
      throw e;
    }
  }

  @Override
  public void end() {
    try {
      inner.end();
    } finally {
      load.end();
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
