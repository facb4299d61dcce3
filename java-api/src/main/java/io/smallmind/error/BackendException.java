package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** A backend that was asked for by name and can't be had, or that broke while working. */
public final class BackendException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public BackendException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public BackendException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
