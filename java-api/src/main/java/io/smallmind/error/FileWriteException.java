package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/** A file that could not be written: no space, no permission, no such folder. */
public final class FileWriteException extends SmallMindException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public FileWriteException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public FileWriteException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
