package io.smallmind.tokenizer.template;

import io.smallmind.error.BadModelFileException;

/**
 * The text of a template, to say where a mistake is.
 *
 * @param text with lines that end in a line feed
 */
record Source(String text) {
  BadModelFileException error(int at, String problem) {
    return new BadModelFileException(
        "chat template, "
            + place(at)
            + ": "
            + problem
            + "; write the prompt in the model's format yourself, or correct"
            + " tokenizer.chat_template");
  }

  /** Returns line and column, both from 1. */
  String place(int at) {
    int line = 1;
    int begin = 0;
    int end = Math.min(at, text.length());
    for (int i = 0; i < end; i++) {
      if (text.charAt(i) == '\n') {
        line++;
        begin = i + 1;
      }
    }
    return "line " + line + ", column " + (end - begin + 1);
  }
}
