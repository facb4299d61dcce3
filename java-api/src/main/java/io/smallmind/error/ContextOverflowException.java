package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** More tokens than a session's context has room for. */
public final class ContextOverflowException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public ContextOverflowException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public ContextOverflowException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
