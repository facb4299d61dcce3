package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** An argument or option that can't be honoured: a shape that doesn't fit, a value out of range. */
public final class BadArgumentException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public BadArgumentException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public BadArgumentException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
