package io.smallmind.tokenizer.template;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text as it stands, or for a string what it means
 * @param at offset in the template
 */
record Token(Kind kind, String text, int at) {
  /** Kinds of pieces. */
  enum Kind {
    /** Text between tags. */
    DATA,
    /** Begin of an output tag. */
    OUTPUT_BEGIN,
    /** End of an output tag. */
    OUTPUT_END,
    /** Begin of a statement. */
    BLOCK_BEGIN,
    /** End of a statement. */
    BLOCK_END,
    /** Name or keyword. */
    NAME,
    /** String literal. */
    STRING,
    /** Integer literal. */
    INTEGER,
    /** Literal with a fraction or exponent. */
    REAL,
    /** Operator or bracket. */
    OPERATOR,
    /** Behind everything. */
    END
  }

  boolean is(Kind wanted, String wantedText) {
    return kind == wanted && text.equals(wantedText);
  }

  String describe() {
    return switch (kind) {
      case END -> "the end of the template";
      case OUTPUT_END -> "'}}'";
      case BLOCK_END -> "'%}'";
      case STRING -> "a string";
      default -> "'" + text + "'";
    };
  }
}
