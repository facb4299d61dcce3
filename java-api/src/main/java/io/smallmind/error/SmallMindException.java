package io.smallmind.error;

import org.jspecify.annotations.Nullable;

/**
 * The root of every error this library throws on purpose.
 *
 * <p>A message names the file, tensor, option and value concerned, and what to do about it.
 */
public class SmallMindException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what is wrong with which value, and the remedy
   */
  public SmallMindException(String message) {
    super(message);
  }

  /**
   * Creates an error with its cause.
   *
   * @param message what is wrong with which value, and the remedy
   * @param cause what was thrown below, if anything
   */
  public SmallMindException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
