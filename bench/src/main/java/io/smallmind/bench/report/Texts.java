package io.smallmind.bench.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** Figures and pictures as text of a known width. */
public final class Texts {
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";
  private static final String LEVELS = "▁▂▃▄▅▆▇█";

  private Texts() {}

  /** Returns a time with three digits and its unit: 8 characters at most. */
  public static String time(double nanos) {
    if (nanos < 1e3) {
      return digits(nanos) + " ns";
    }
    if (nanos < 1e6) {
      return digits(nanos / 1e3) + " µs";
    }
    return nanos < 1e9 ? digits(nanos / 1e6) + " ms" : digits(nanos / 1e9) + " s";
  }

  /** Returns a rate with one digit behind the point. */
  public static String rate(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value);
  }

  /** Returns a ratio with two digits behind the point, or more if it is small. */
  public static String ratio(double value) {
    return String.format(Locale.ROOT, value < 0.01 ? "%.4f" : value < 0.1 ? "%.3f" : "%.2f", value);
  }

  /** Returns a share in per cent. */
  public static String percent(double share) {
    double percent = share * 100;
    return String.format(Locale.ROOT, percent < 0.95 ? "%.1f%%" : "%.0f%%", percent);
  }

  /** Returns a number of bytes with a binary unit. */
  public static String bytes(double bytes) {
    if (bytes < 1024) {
      return String.format(Locale.ROOT, "%.0f B", bytes);
    }
    if (bytes < 1 << 20) {
      return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024);
    }
    return bytes < 1 << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / (1 << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (1 << 30));
  }

  /** Returns a bar of this share of a width, to an eighth of a character; at least a sliver. */
  public static String bar(double share, int width) {
    double clamped = Math.clamp(share, 0, 1);
    int eighths = (int) Math.max(clamped > 0 ? 1 : 0, Math.round(clamped * width * 8));
    String rest = eighths % 8 == 0 ? "" : EIGHTHS.substring(eighths % 8, eighths % 8 + 1);
    return "█".repeat(eighths / 8) + rest;
  }

  /** Returns a character for each value, as high as its share of the largest. */
  public static String spark(Collection<Double> values) {
    double largest = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    StringBuilder text = new StringBuilder();
    for (double value : values) {
      int level = (int) Math.round(value / largest * (LEVELS.length() - 1));
      text.append(LEVELS.charAt(Math.clamp(level, 0, LEVELS.length() - 1)));
    }
    return text.toString();
  }

  /** Returns text cut or filled with spaces on the right to a width. */
  public static String left(String text, int width) {
    String cut = cut(text, width);
    return cut + " ".repeat(width - cut.length());
  }

  /** Returns text filled with spaces on the left to a width. */
  public static String right(String text, int width) {
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }

  /** Returns text of at most this width. */
  public static String cut(String text, int width) {
    return text.length() <= width ? text : text.substring(0, Math.max(0, width - 1)) + "…";
  }

  /** Returns text broken into lines of at most this width, at spaces. */
  public static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static String digits(double value) {
    return String.format(
        Locale.ROOT, value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
  }
}
