package io.smallmind.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the output goes.
 *
 * @param out results
 * @param err errors and progress
 * @param outIsTerminal whether a person sees it; likewise err
 * @param environment variables: NO_COLOR, TERM, COLUMNS
 */
public record Terminal(
    PrintWriter out,
    PrintWriter err,
    boolean outIsTerminal,
    boolean errIsTerminal,
    Map<String, String> environment) {
  private static final int DEFAULT_WIDTH = 80;
  private static final int NARROWEST = 72;
  private static final int WIDEST = 120;

  /** Returns this process' own output. */
  public static Terminal system() {
    return new Terminal(
        new PrintWriter(System.out, true, java.nio.charset.StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, java.nio.charset.StandardCharsets.UTF_8),
        isTerminal(1),
        isTerminal(2),
        System.getenv());
  }

  /** Tells whether results may be coloured (see no-color.org). */
  public boolean colours() {
    return outIsTerminal && mayColour();
  }

  /** Tells whether a progress line may be drawn and erased. */
  public boolean progress() {
    return errIsTerminal && !"dumb".equals(environment.get("TERM"));
  }

  private boolean mayColour() {
    String noColour = environment.get("NO_COLOR");
    return (noColour == null || noColour.isEmpty()) && !"dumb".equals(environment.get("TERM"));
  }

  /** Returns the width to print for, in characters. */
  public int width() {
    @Nullable String columns = environment.get("COLUMNS");
    try {
      int width = columns == null ? DEFAULT_WIDTH : Integer.parseInt(columns.strip());
      return Math.clamp(width, NARROWEST, WIDEST);
    } catch (NumberFormatException e) {
      return DEFAULT_WIDTH;
    }
  }

  /** Java itself only tells whether input and output both are terminals. */
  private static boolean isTerminal(int descriptor) {
    Path link = Path.of("/proc/self/fd/" + descriptor);
    try {
      String target = Files.readSymbolicLink(link).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | RuntimeException e) {
      return System.console() != null && System.console().isTerminal();
    }
  }
}
