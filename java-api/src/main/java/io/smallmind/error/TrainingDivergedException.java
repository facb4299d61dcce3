package io.smallmind.error;

/** A training whose loss or gradients are no numbers any more. */
public final class TrainingDivergedException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public TrainingDivergedException(String message) {
    super(message);
  }
}
