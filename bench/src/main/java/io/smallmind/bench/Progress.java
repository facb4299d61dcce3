package io.smallmind.bench;

import io.smallmind.bench.report.Texts;
import java.io.PrintWriter;

/** A line on the terminal that tells what is going on, redrawn in place. Not thread-safe. */
final class Progress {
  private static final String ERASE = "\r\u001b[K";
  private static final long REDRAW_NANOS = 100_000_000;
  private static final int BAR = 12;

  private final PrintWriter err;
  private final boolean shown;
  private final int width;
  private long lastDrawn;
  private boolean visible;

  Progress(Terminal terminal) {
    err = terminal.err();
    shown = terminal.progress();
    width = terminal.width();
  }

  /** Tells how far the run is; drawn at most ten times in a second. */
  void show(int done, int total, String text) {
    long now = System.nanoTime();
    if (!shown || (visible && now - lastDrawn < REDRAW_NANOS)) {
      return;
    }
    lastDrawn = now;
    visible = true;
    String bar = Texts.left(Texts.bar((double) done / total, BAR), BAR);
    String line = "▕" + bar + "▏ " + done + "/" + total + "  " + text;
    err.print(ERASE + Texts.cut(line, width - 1));
    err.flush();
  }

  /** Takes the line away, so that something else can be printed. */
  void erase() {
    if (visible) {
      err.print(ERASE);
      err.flush();
      visible = false;
    }
  }
}
