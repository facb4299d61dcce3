package io.smallmind.tokenizer.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A string that knows which of its characters came from outside the template. Immutable.
 *
 * <p>Special tokens may be made of trusted characters only, whatever a message says.
 */
public final class Text {
  static final Text EMPTY = new Text("", new int[0]);

  private final String value;
  private final int[] foreign; // (ranges, 2): begin and end of characters from outside, ascending

  Text(String value, int[] foreign) {
    this.value = value;
    this.foreign = foreign;
  }

  /** Returns a string that the template or the model file says. */
  public static Text trusted(String value) {
    return value.isEmpty() ? EMPTY : new Text(value, new int[0]);
  }

  /** Returns a string from outside. */
  public static Text foreign(String value) {
    return value.isEmpty() ? EMPTY : new Text(value, new int[] {0, value.length()});
  }

  /** Returns the characters. */
  public String value() {
    return value;
  }

  /**
   * A part of a text.
   *
   * @param value characters
   * @param trusted whether they come from the template
   */
  public record Part(String value, boolean trusted) {}

  /** Returns the parts that are trusted, and those that are not, in their order. */
  public List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < foreign.length; i += 2) {
      if (foreign[i] > at) {
        parts.add(new Part(value.substring(at, foreign[i]), true));
      }
      parts.add(new Part(value.substring(foreign[i], foreign[i + 1]), false));
      at = foreign[i + 1];
    }
    if (at < value.length()) {
      parts.add(new Part(value.substring(at), true));
    }
    return parts;
  }

  boolean isTrusted() {
    return foreign.length == 0;
  }

  int length() {
    return value.length();
  }

  boolean isEmpty() {
    return value.isEmpty();
  }

  /** Returns a string made of this one: from outside as a whole, if any part of this one is. */
  Text derive(String derived) {
    return isTrusted() ? trusted(derived) : foreign(derived);
  }

  Text substring(int begin, int end) {
    if (begin == 0 && end == value.length()) {
      return this;
    }
    TextBuilder out = new TextBuilder();
    appendTo(out, begin, end);
    return out.build();
  }

  Text plus(Text other) {
    if (isEmpty() || other.isEmpty()) {
      return isEmpty() ? other : this;
    }
    TextBuilder out = new TextBuilder();
    out.append(this);
    out.append(other);
    return out.build();
  }

  void appendTo(TextBuilder out, int begin, int end) {
    int at = begin;
    for (int i = firstEndingBehind(begin); i < foreign.length && foreign[i] < end; i += 2) {
      int from = Math.max(foreign[i], begin);
      int to = Math.min(foreign[i + 1], end);
      if (from < to) {
        out.append(value, at, from, true);
        out.append(value, from, to, false);
        at = to;
      }
    }
    out.append(value, at, end, true);
  }

  /** Returns where the first range from outside stands that ends behind a place. */
  private int firstEndingBehind(int place) {
    int low = 0;
    int high = foreign.length / 2;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (foreign[2 * middle + 1] > place) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return 2 * low;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Text text && value.equals(text.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return value + (isTrusted() ? "" : " (foreign: " + Arrays.toString(foreign) + ")");
  }
}
