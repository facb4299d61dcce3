package io.smallmind.tokenizer;

/** Turns a stream of tokens into text, never splitting a character. Not thread-safe. */
public interface StreamingDecoder {
  /** Returns the text that is complete with this token; a character's first bytes wait. */
  String accept(int id);

  /** Returns what is left at the end; an incomplete character becomes U+FFFD. */
  String finish();
}
