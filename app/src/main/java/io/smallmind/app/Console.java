package io.smallmind.app;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/**
 * What a command reads from and writes to.
 *
 * @param in standard input
 * @param out results
 * @param err errors, notes and progress
 * @param inIsTerminal whether a person types it; likewise out and err: whether a person sees it
 * @param environment variables: NO_COLOR, TERM, COLUMNS
 */
record Console(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean inIsTerminal,
    boolean outIsTerminal,
    boolean errIsTerminal,
    Map<String, String> environment) {
  private static final int DEFAULT_WIDTH = 80;
  private static final int NARROWEST = 60;
  private static final int WIDEST = 160;
  private static final int DEFAULT_HEIGHT = 24;
  private static final int LOWEST = 4;

  /** Returns this process' own console; output is UTF-8 whatever the locale. */
  static Console system() {
    return new Console(
        System.in,
        stream(FileDescriptor.out),
        stream(FileDescriptor.err),
        isTerminal(0),
        isTerminal(1),
        isTerminal(2),
        System.getenv());
  }

  /** Returns a console that no person looks at. */
  static Console plain(InputStream in, PrintStream out, PrintStream err) {
    return new Console(in, out, err, false, false, false, Map.of());
  }

  private static PrintStream stream(FileDescriptor descriptor) {
    return new PrintStream(
        new java.io.BufferedOutputStream(new FileOutputStream(descriptor)),
        false,
        StandardCharsets.UTF_8);
  }

  /** Tells whether results may be coloured (see no-color.org). */
  boolean colours() {
    String noColour = environment.get("NO_COLOR");
    return outIsTerminal && (noColour == null || noColour.isEmpty()) && !isDumb();
  }

  /** Tells whether a progress line may be drawn and erased. */
  boolean progress() {
    return errIsTerminal && !isDumb();
  }

  private boolean isDumb() {
    return "dumb".equals(environment.get("TERM"));
  }

  /** Returns the width to print for, in characters. */
  int width() {
    try {
      String columns = environment.getOrDefault("COLUMNS", "").strip();
      return columns.isEmpty()
          ? DEFAULT_WIDTH
          : Math.clamp(Integer.parseInt(columns), NARROWEST, WIDEST);
    } catch (NumberFormatException e) {
      return DEFAULT_WIDTH;
    }
  }

  /** Returns the height of the terminal, in lines. */
  int height() {
    try {
      String lines = environment.getOrDefault("LINES", "").strip();
      int height = lines.isEmpty() ? terminalHeight() : Integer.parseInt(lines);
      return height <= 0 ? DEFAULT_HEIGHT : Math.max(height, LOWEST);
    } catch (NumberFormatException | IOException e) {
      return DEFAULT_HEIGHT;
    }
  }

  private static int terminalHeight() throws IOException {
    try (Terminal terminal = TerminalBuilder.builder().system(true).dumb(true).build()) {
      return terminal.getHeight();
    }
  }

  /** Java itself only tells whether input and output both are terminals. */
  private static boolean isTerminal(int descriptor) {
    Path link = Path.of("/proc/self/fd/" + descriptor);
    try {
      String target = Files.readSymbolicLink(link).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | RuntimeException e) {
      java.io.Console console = System.console();
      return console != null && console.isTerminal();
    }
  }
}
