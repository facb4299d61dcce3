package io.smallmind.bench.measure;

import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * One way to do a case's work, on one number of threads: what is timed.
 *
 * <p>A runner first calls {@link #verify}, which prepares whatever is needed; then {@link #call}
 * many times, in slices between {@link #begin} and {@link #end}, in turn with the slices of the
 * case's other trials; and {@link #close} at last.
 */
public abstract class Trial implements AutoCloseable {
  private final String variant;
  private final Role role;
  private final int threads;

  /**
   * Creates a trial.
   *
   * @param variant what does the work: a backend's name, for instance
   */
  protected Trial(String variant, Role role, int threads) {
    this.variant = variant;
    this.role = role;
    this.threads = threads;
  }

  /** Returns the name of what does the work. */
  public final String variant() {
    return variant;
  }

  /** Returns what this trial is in its case. */
  public final Role role() {
    return role;
  }

  /** Returns the number of threads it uses. */
  public final int threads() {
    return threads;
  }

  /** Returns why this can't run here and what to do about it; empty if it can. */
  public String unavailable() {
    return "";
  }

  /**
   * Estimates how long a call will take, cheaply.
   *
   * @return nanoseconds; 0 if it is surely short
   */
  public double estimateNanos() {
    return 0;
  }

  /** Does the work once and compares its results with the reference. */
  public Verdict verify() {
    return Verdict.NOTHING_TO_CHECK;
  }

  /** Returns the operations of one call, where they differ from the case's. */
  public double operations() {
    return Double.NaN;
  }

  /** Returns the bytes one call moves, where they differ from the case's. */
  public double bytes() {
    return Double.NaN;
  }

  /** Returns how many calls a slice has at least, however long they take. */
  public int leastCalls() {
    return 1;
  }

  /** Returns of how many calls of a slice the times are kept one by one; 0 for none. */
  public int seriesLength() {
    return 0;
  }

  /** Comes after every slice that counts. */
  public void endRound() {}

  /** Returns what a call is made of, where that was watched. */
  public List<Part> parts() {
    return List.of();
  }

  /** Returns more figures by name, for whom the times of calls are not all. */
  public Map<String, Double> figures() {
    return Map.of();
  }

  /**
   * Does a slice whose calls are timed where they happen, in another process for instance.
   *
   * @param nanos hears of the time of each call
   * @return false if there is no such way: then {@link #call} is timed
   */
  public boolean timeSlice(LongConsumer nanos) {
    return false;
  }

  /** Comes before every slice. */
  public void begin() {}

  /** Does the work once. */
  public abstract void call();

  /** Comes after every slice. */
  public void end() {}

  @Override
  public void close() {}
}
