package io.smallmind.app;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts that grow side by side on a terminal, redrawn in place: the last lines of each, as many as
 * the terminal can show, and all of them at the end. Thread-safe.
 */
final class Columns {
  private static final String ERASE_LINE = "\u001b[K";
  private static final String GAP = "  ";

  /** Lines of the title and the rule below it. */
  private static final int HEADING = 2;

  private static final long REDRAW_NANOS = 30_000_000;

  private final PrintStream out;
  private final int width;
  private final int height;
  private final String[] titles;
  private final StringBuilder[] texts;
  private int drawnLines;
  private long lastDrawn;

  Columns(Console console, int columns) {
    out = console.out();
    width = (console.width() - 1 - GAP.length() * (columns - 1)) / columns;
    height = console.height() - 1 - HEADING; // The cursor stands on the last line.
    titles = new String[columns];
    texts = new StringBuilder[columns];
    for (int i = 0; i < columns; i++) {
      titles[i] = "";
      texts[i] = new StringBuilder();
    }
  }

  synchronized void title(int column, String title) {
    titles[column] = title;
    draw(height);
  }

  synchronized void append(int column, String text) {
    texts[column].append(text);
    if (System.nanoTime() - lastDrawn > REDRAW_NANOS) {
      draw(height);
    }
  }

  synchronized void end() {
    draw(Integer.MAX_VALUE);
  }

  private void draw(int most) {
    lastDrawn = System.nanoTime();
    List<List<String>> columns = new ArrayList<>();
    int lines = 0;
    for (int i = 0; i < texts.length; i++) {
      List<String> column = new ArrayList<>();
      column.add(titles[i]);
      column.add("-".repeat(width));
      List<String> all = wrap(texts[i].toString(), width);
      column.addAll(all.subList(Math.max(0, all.size() - most), all.size()));
      columns.add(column);
      lines = Math.max(lines, column.size());
    }
    StringBuilder page = new StringBuilder();
    if (drawnLines > 0) {
      page.append("\u001b[").append(drawnLines).append('A');
    }
    for (int line = 0; line < lines; line++) {
      for (int i = 0; i < columns.size(); i++) {
        List<String> column = columns.get(i);
        String text = line < column.size() ? column.get(line) : "";
        String cut = text.length() > width ? text.substring(0, width) : text;
        page.append(i > 0 ? GAP : "").append(cut).append(" ".repeat(width - cut.length()));
      }
      page.append(ERASE_LINE).append('\n');
    }
    drawnLines = Math.max(drawnLines, lines);
    out.print(page);
    out.flush();
  }

  /** Breaks a text into lines at spaces, and where it does itself. */
  static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    for (String paragraph : text.split("\\R", -1)) {
      StringBuilder line = new StringBuilder();
      for (String word : paragraph.split(" ", -1)) {
        if (line.length() > 0 && line.length() + 1 + word.length() > width) {
          lines.add(line.toString());
          line.setLength(0);
        } else if (line.length() > 0) {
          line.append(' ');
        }
        line.append(word);
      }
      lines.add(line.toString());
    }
    return lines;
  }
}
