package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** A model file that breaks its format: truncated, inconsistent, or with values out of range. */
public final class BadModelFileException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public BadModelFileException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public BadModelFileException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
