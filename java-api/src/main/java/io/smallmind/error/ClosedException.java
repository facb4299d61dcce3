package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** Use of a model, matrix, session or team after it was closed. */
public final class ClosedException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public ClosedException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public ClosedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
