package io.smallmind.tokenizer.template;

import java.util.Arrays;

/** Collects output. Not thread-safe. */
final class TextBuilder {
  private final StringBuilder value = new StringBuilder();
  private int[] foreign = new int[4];
  private int size;

  void append(Text text) {
    text.appendTo(this, 0, text.length());
  }

  void append(String text, int begin, int end, boolean trusted) {
    if (begin >= end) {
      return;
    }
    int at = value.length();
    value.append(text, begin, end);
    if (trusted) {
      return;
    }
    if (size > 0 && foreign[size - 1] == at) {
      foreign[size - 1] = value.length();
      return;
    }
    if (size == foreign.length) {
      foreign = Arrays.copyOf(foreign, 2 * size);
    }
    foreign[size++] = at;
    foreign[size++] = value.length();
  }

  int length() {
    return value.length();
  }

  Text build() {
    return new Text(value.toString(), Arrays.copyOf(foreign, size));
  }
}
