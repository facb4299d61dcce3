package io.smallmind.bench.measure;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of backends and rivals that work in a condition of their own, beside the same without it,
 * such as {@code native-avx2 beside 1}.
 */
public final class Condition {
  /** Passes are watched, which costs a little. */
  public static final String WATCHED = "profiled";

  /** Weights are multiplied as the file's pages hold them, in no memory of their own. */
  public static final String MAPPED = "mapped";

  /** Weights are packed in a file that is mapped. */
  public static final String KEPT = "kept";

  private static final String BESIDE = "beside";
  private static final String GUESSING = "guessing";
  private static final String QUOTA = "quota";

  private static final Pattern NAME =
      Pattern.compile(
          "(.*?)(?: ("
              + String.join("|", WATCHED, MAPPED, KEPT)
              + "|(?:"
              + String.join("|", BESIDE, GUESSING, QUOTA)
              + ") \\S+))?");

  private Condition() {}

  /** Returns the condition that other processes keep processors busy. */
  public static String beside(int processes) {
    return BESIDE + " " + processes;
  }

  /** Returns the condition that so many tokens are guessed ahead at most. */
  public static String guessing(int tokens) {
    return GUESSING + " " + tokens;
  }

  /** Returns the condition that a control group grants so many processors' time. */
  public static String quota(double processors) {
    return QUOTA + " " + processors;
  }

  /** Tells whether a condition is one of {@link #quota}. */
  public static boolean isQuota(String condition) {
    return condition.startsWith(QUOTA);
  }

  /** Returns the name of a backend in a condition, or in none if that is empty. */
  public static String of(String backend, String condition) {
    return condition.isEmpty() ? backend : backend + " " + condition;
  }

  /** Returns the backend in such a name, or all of it if there is no condition in it. */
  public static String backend(String variant) {
    return part(variant, 1);
  }

  /** Returns the condition in such a name; empty if there is none. */
  public static String in(String variant) {
    return part(variant, 2);
  }

  private static String part(String variant, int group) {
    Matcher name = NAME.matcher(variant);
    String found = name.matches() ? name.group(group) : null;
    return found == null ? "" : found;
  }

  /** Returns what a backend is without a condition. */
  public static String without(String condition) {
    if (condition.startsWith(BESIDE) || isQuota(condition)) {
      return "alone";
    }
    if (condition.startsWith(GUESSING)) {
      return "0";
    }
    return condition.equals(MAPPED) || condition.equals(KEPT) ? "packed" : "without";
  }
}
