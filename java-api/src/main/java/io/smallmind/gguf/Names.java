package io.smallmind.gguf;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Names from untrusted files, made fit for messages. */
final class Names {
  /** How much of a string a message shows, in UTF-16 units. */
  static final int SHOWN_CHARACTERS = 100;

  /** How many names are compared, and how much of each: bounds the time a hostile file can cost. */
  private static final int COMPARED_NAMES = 10_000;

  private static final int COMPARED_CHARACTERS = 64;
  private static final int SUGGESTIONS = 3;

  private Names() {}

  /** Quotes a string, cut to a readable length, without characters that could fool a terminal. */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("'");
    int i = 0;
    while (i < text.length() && i < SHOWN_CHARACTERS) {
      int c = text.codePointAt(i);
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.SURROGATE,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR ->
            quoted.append("\\u%04x".formatted(c));
        default -> quoted.appendCodePoint(c);
      }
      i += Character.charCount(c);
    }
    return quoted.append(i < text.length() ? "…'" : "'").toString();
  }

  /** Returns " (did you mean …?)" with the names most like this one, or "" if none is near. */
  static String suggest(String wanted, Collection<String> known) {
    List<Map.Entry<String, Integer>> near = new ArrayList<>();
    String start = head(wanted);
    known.stream()
        .limit(COMPARED_NAMES)
        .forEach(
            name -> {
              int distance = distance(start, head(name));
              if (distance <= Math.max(2, start.length() / 3)) {
                near.add(Map.entry(name, distance));
              }
            });
    if (near.isEmpty()) {
      return "";
    }
    near.sort(Comparator.comparingInt(Map.Entry::getValue));
    StringBuilder text = new StringBuilder(" (did you mean ");
    for (int i = 0; i < Math.min(SUGGESTIONS, near.size()); i++) {
      text.append(i == 0 ? "" : ", ").append(quote(near.get(i).getKey()));
    }
    return text.append("?)").toString();
  }

  private static String head(String name) {
    return name.substring(0, Math.min(name.length(), COMPARED_CHARACTERS));
  }

  /** Returns the number of characters to insert, delete or replace that turns a into b. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
