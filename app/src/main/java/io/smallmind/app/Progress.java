package io.smallmind.app;

import io.smallmind.model.ProgressListener;
import java.io.PrintStream;
import java.util.Locale;

/** A line on the terminal that tells how far some work is, redrawn in place until closed. */
final class Progress implements AutoCloseable {
  private static final String ERASE = "\r\u001b[K";
  private static final long REDRAW_NANOS = 100_000_000;

  /** Work that ends sooner shows nothing. */
  private static final long PATIENCE_NANOS = 300_000_000;

  private static final int BAR = 24;

  private final PrintStream err;
  private final boolean shown;
  private final int width;
  private final long begun = System.nanoTime();
  private long lastDrawn;
  private boolean visible;

  Progress(Console console) {
    err = console.err();
    shown = console.progress();
    width = console.width();
  }

  /** Tells how far the work is; drawn at most ten times in a second, and on a terminal only. */
  synchronized void show(long done, long total, String text) {
    long now = System.nanoTime();
    if (!shown || now - begun < PATIENCE_NANOS || visible && now - lastDrawn < REDRAW_NANOS) {
      return;
    }
    lastDrawn = now;
    visible = true;
    double share = total <= 0 ? 1 : Math.min(1, (double) done / total);
    int full = (int) Math.round(share * BAR);
    double left = share == 0 ? 0 : (now - begun) / 1e9 * (1 - share) / share;
    String line =
        String.format(
            Locale.ROOT,
            "[%s%s] %3.0f %%, %.0f s left  %s",
            "#".repeat(full),
            "·".repeat(BAR - full),
            100 * share,
            left,
            text);
    err.print(ERASE + line.substring(0, Math.min(line.length(), width - 1)));
    err.flush();
  }

  ProgressListener listener() {
    return this::show;
  }

  @Override
  public synchronized void close() {
    if (visible) {
      err.print(ERASE);
      err.flush();
      visible = false;
    }
  }
}
