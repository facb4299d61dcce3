package io.smallmind.tokenizer.template;

/**
 * What is no value.
 *
 * @param name of what is undefined; empty for none
 */
record Absent(String name) {
  /** The value {@code none}. */
  static final Absent NONE = new Absent("");

  boolean isNone() {
    return this == NONE;
  }
}
