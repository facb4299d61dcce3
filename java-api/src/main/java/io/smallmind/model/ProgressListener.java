package io.smallmind.model;

/** Hears how far a long work is. */
@FunctionalInterface
public interface ProgressListener {
  /**
   * Called between steps, on the thread that does the work.
   *
   * @param done bytes of the result that are there
   * @param total bytes that the result will have
   * @param what tensor that is worked on
   */
  void progress(long done, long total, String what);

  /** Returns a listener that does nothing. */
  static ProgressListener none() {
    return (done, total, what) -> {};
  }
}
