package io.smallmind.tokenizer.template;

/** A mistake while a template runs, before its place is known. */
final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Whether the template itself refuses its input. */
  final boolean raised;

  Fault(String message) {
    this(message, false);
  }

  Fault(String message, boolean raised) {
    super(message, null, false, false);
    this.raised = raised;
  }
}
