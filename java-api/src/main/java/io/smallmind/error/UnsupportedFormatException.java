package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** A tensor type, architecture or tokenizer that this library does not handle. */
public final class UnsupportedFormatException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public UnsupportedFormatException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public UnsupportedFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
