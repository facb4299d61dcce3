package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** Native memory that the operating system would not give. */
public final class OutOfMemoryException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public OutOfMemoryException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public OutOfMemoryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
