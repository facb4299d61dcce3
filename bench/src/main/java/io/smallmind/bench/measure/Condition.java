package io.smallmind.bench.measure;

/**
 * Names of backends that work in a condition of their own, beside the same backend without it, such
 * as {@code native-avx2 beside 1}. No backend has a space in its name.
 */
public final class Condition {
  /** Passes are watched, which costs a little. */
  public static final String WATCHED = "profiled";

  /** Weights are multiplied as the file's pages hold them, in no memory of their own. */
  public static final String MAPPED = "mapped";

  private static final String BESIDE = "beside";
  private static final String GUESSING = "guessing";

  private Condition() {}

  /** Returns the condition that other processes keep processors busy. */
  public static String beside(int processes) {
    return BESIDE + " " + processes;
  }

  /** Returns the condition that so many tokens are guessed ahead at most. */
  public static String guessing(int tokens) {
    return GUESSING + " " + tokens;
  }

  /** Returns the name of a backend in a condition, or in none if that is empty. */
  public static String of(String backend, String condition) {
    return condition.isEmpty() ? backend : backend + " " + condition;
  }

  /** Returns the backend in such a name, or all of it if there is no condition in it. */
  public static String backend(String variant) {
    int space = variant.indexOf(' ');
    return space < 0 ? variant : variant.substring(0, space);
  }

  /** Returns the condition in such a name; empty if there is none. */
  public static String in(String variant) {
    int space = variant.indexOf(' ');
    return space < 0 ? "" : variant.substring(space + 1);
  }

  /** Returns what a backend is without a condition. */
  public static String without(String condition) {
    if (condition.startsWith(BESIDE)) {
      return "alone";
    }
    if (condition.startsWith(GUESSING)) {
      return "0";
    }
    return condition.equals(MAPPED) ? "packed" : "without";
  }
}
