package io.smallmind;

import java.util.List;

/**
 * Finds stop strings in a stream of text, also where they span tokens: text that may be the
 * beginning of one is held back until that is decided. Not thread-safe.
 */
final class StopMatcher {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  StopMatcher(List<String> stops) {
    this.stops = stops;
  }

  /** Returns the text that surely comes before any stop string. */
  String accept(String text) {
    if (stops.isEmpty()) {
      return text;
    }
    held.append(text);
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    if (first >= 0) {
      stopped = true;
      String before = held.substring(0, first);
      held.setLength(0);
      return before;
    }
    int sure = held.length() - longestBeginning();
    String before = held.substring(0, sure);
    held.delete(0, sure);
    return before;
  }

  /** Returns what was held back, at the end of the text. */
  String finish() {
    String rest = held.toString();
    held.setLength(0);
    return rest;
  }

  /** Tells whether a stop string came. */
  boolean isStopped() {
    return stopped;
  }

  /** Returns the length of the longest end of the held text that begins a stop string. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
        if (stop.startsWith(held.substring(held.length() - length))) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
