package io.smallmind.bench;

/** A backend's name that nobody knows: a slip at the keyboard, rather than a failure. */
final class UnknownBackendException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnknownBackendException(String message) {
    super(message);
  }
}
