package io.smallmind.bench.measure;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of one trial.
 *
 * @param message why there are no figures; empty if there are
 * @param verdict null if it was not verified
 * @param statistics null unless the status is OK
 * @param heapBytesPerCall allocated on the heap; null unless the status is OK
 * @param collections garbage collections during all its slices
 * @param series median over the rounds of the time of each call of a slice; empty unless the trial
 *     wants one
 * @param failure what was thrown, if the status is FAILED
 */
public record Outcome(
    Trial trial,
    Status status,
    String message,
    @Nullable Verdict verdict,
    @Nullable Statistics statistics,
    @Nullable Double heapBytesPerCall,
    long collections,
    List<Double> series,
    @Nullable Throwable failure) {

  /** How a trial can end. */
  public enum Status {
    /** Measured. */
    OK,
    /** Its results are not those of the reference; it was not timed. */
    WRONG,
    /** It threw. */
    FAILED,
    /** A call would take longer than the cap. */
    SKIPPED
  }

  static Outcome skipped(Trial trial, String message) {
    return new Outcome(trial, Status.SKIPPED, message, null, null, null, 0, List.of(), null);
  }

  static Outcome wrong(Trial trial, Verdict verdict) {
    return new Outcome(
        trial, Status.WRONG, verdict.wrong(), verdict, null, null, 0, List.of(), null);
  }

  static Outcome failed(Trial trial, @Nullable Verdict verdict, Throwable failure) {
    String text = failure.getMessage();
    String message = text == null ? failure.getClass().getSimpleName() : text;
    return new Outcome(trial, Status.FAILED, message, verdict, null, null, 0, List.of(), failure);
  }

  /** Tells whether this trial did its work wrongly or not at all. */
  public boolean isError() {
    return status == Status.WRONG || status == Status.FAILED;
  }
}
