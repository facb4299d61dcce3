package io.smallmind.bench.work;

import java.util.Locale;

/** Lengths for a person. */
final class Sizes {
  private Sizes() {}

  /** Returns a number of elements, such as 16 K (1024 each) or 10.0 M (a million). */
  static String elements(long length) {
    if (length < 10_000) {
      return Long.toString(length);
    }
    if (length < 1_000_000) {
      return String.format(Locale.ROOT, "%.0f K", length / 1e3);
    }
    return String.format(Locale.ROOT, "%.0f M", length / 1e6);
  }
}
