package io.smallmind.bench.host;

import java.util.regex.Pattern;

/** The folder of the user, whose name is nobody else's business. */
public final class HomeFolder {
  private HomeFolder() {}

  /** Returns a text in which paths below the folder begin with {@code ~}. */
  public static String shortened(String text) {
    String home = System.getProperty("user.home", "");
    return home.isEmpty() ? text : shortened(text, home);
  }

  /** Returns a text in which paths below a folder begin with {@code ~}. */
  static String shortened(String text, String home) {
    // Where a path begins, and only if it goes on below the folder.
    Pattern path = Pattern.compile("(?<![\\w/\\\\.~-])" + Pattern.quote(home) + "(?=[/\\\\])");
    return path.matcher(text).replaceAll("~");
  }
}
