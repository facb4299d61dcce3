package io.smallmind.bench.report;

/** Emphasis by ANSI escapes, where somebody looks at a terminal. Immutable. */
public record Style(boolean ansi) {
  /** Text as it is. */
  public static final Style PLAIN = new Style(false);

  /** Returns a heading. */
  public String bold(String text) {
    return wrap("1", text);
  }

  /** Returns what matters less. */
  public String dim(String text) {
    return wrap("2", text);
  }

  /** Returns what is best. */
  public String good(String text) {
    return wrap("32", text);
  }

  /** Returns what to look at. */
  public String warning(String text) {
    return wrap("33", text);
  }

  /** Returns what is wrong. */
  public String bad(String text) {
    return wrap("1;31", text);
  }

  /** Returns the colour of a bar by what it shows. */
  public String bar(String text, boolean baseline) {
    return wrap(baseline ? "90" : "36", text);
  }

  private String wrap(String code, String text) {
    return ansi && !text.isEmpty() ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
