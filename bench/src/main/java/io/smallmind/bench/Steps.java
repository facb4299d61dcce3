package io.smallmind.bench;

import java.time.Duration;

/** Tells how far a long task is: redrawn on a terminal, else a line for each step. */
final class Steps {
  private static final int MINUTES_FROM = 2;

  private final Terminal terminal;
  private final Progress progress;
  private final int different;
  private long begin;

  /**
   * Begins to tell.
   *
   * @param different so many of the first steps are no measure for the others
   */
  Steps(Terminal terminal, int different) {
    this.terminal = terminal;
    this.different = different;
    progress = new Progress(terminal);
  }

  /** Comes before each of so many steps, the first of which is 0. */
  void at(int step, int steps, String text) {
    if (step <= different) {
      begin = System.nanoTime();
    }
    String line = text;
    if (step > different) {
      long each = (System.nanoTime() - begin) / (step - different);
      line += ", about " + rounded(Duration.ofNanos(each * (steps - step))) + " left";
    }
    if (terminal.progress()) {
      progress.show(step, steps, line);
    } else {
      terminal.err().println(line);
      terminal.err().flush();
    }
  }

  private static String rounded(Duration time) {
    long minutes = time.toMinutes();
    return minutes < MINUTES_FROM ? time.toSeconds() + " s" : minutes + " min";
  }

  /** Takes the line away. */
  void end() {
    progress.erase();
  }
}
