package io.smallmind.app;

import java.util.Locale;

/** Writes sizes for people to read. */
final class Sizes {
  private Sizes() {}

  /** Returns a number of bytes in units of 1024. */
  static String bytes(long bytes) {
    return scaled(bytes, 1024, "B", "KiB", "MiB", "GiB", "TiB");
  }

  /** Returns a number of things in units of 1000. */
  static String count(long count) {
    return scaled(count, 1000, "", "thousand", "million", "billion", "trillion").strip();
  }

  private static String scaled(long number, int step, String... units) {
    double value = number;
    int unit = 0;
    while (value >= step && unit < units.length - 1) {
      value /= step;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.2f %s", value, units[unit]);
  }
}
