package io.smallmind.sampling;

/**
 * Restricts which tokens may come next, such as to those that keep a text within a grammar. Has
 * state: one per generation. Not thread-safe.
 */
public interface TokenConstraint {
  /**
   * Sets the scores of tokens that may not come next to −∞.
   *
   * @param scores (vocabulary)
   */
  void mask(float[] scores);

  /** Moves on by a token that was chosen. */
  void accept(int token);

  /** Tells whether the text so far is complete, so that the end may come next. */
  boolean isComplete();

  /** Tells whether the text so far is complete and nothing may follow it. */
  boolean isFinished();
}
