package io.smallmind.bench.report;

import io.smallmind.bench.measure.Statistics;
import java.io.PrintWriter;
import java.util.List;

/** Prints results case by case: aligned columns and bars. Not thread-safe. */
public final class ResultTable {
  private static final int SIZE = 11;
  private static final int VARIANT = 17;
  private static final int THREADS = 2;
  private static final int TIME = 8;
  private static final int SPREAD = 4;
  private static final int RATE = 7;
  private static final int SHARE = 5;
  private static final String INDENT = "  ";

  /** Columns before the bar, and the spaces between them. */
  private static final int FIXED =
      INDENT.length() + SIZE + VARIANT + THREADS + TIME + SPREAD + RATE + SHARE + 7;

  private static final int LONGEST_BAR = 40;

  /** Stands behind the bar of who is faster than this library. */
  private static final String WINS = " wins";

  private final PrintWriter out;
  private final Style style;
  private final int barWidth;
  private final int width;
  private String section = "";

  /**
   * Creates a table.
   *
   * @param width of the terminal, in characters
   */
  public ResultTable(PrintWriter out, Style style, int width) {
    this.out = out;
    this.style = style;
    this.width = width;
    barWidth = Math.clamp(width - FIXED - WINS.length(), 8, LONGEST_BAR);
  }

  /**
   * Prints the rows of one case, below a heading if it is of another kind than the last.
   *
   * @param rows of one kind of work
   * @param note empty, or what a person must know to read them
   */
  public void print(List<BenchReport.ResultRow> rows, String note) {
    if (rows.isEmpty()) {
      return;
    }
    BenchReport.ResultRow first = rows.getFirst();
    String title =
        first.work().equals(first.subject())
            ? first.work()
            : first.work() + " · " + first.subject();
    if (!title.equals(section)) {
      section = title;
      heading(title, first);
    }
    boolean ownLine = first.size().length() > SIZE;
    if (ownLine || !note.isEmpty()) {
      out.println(
          INDENT + Texts.cut(first.size() + (note.isEmpty() ? "" : "  " + note), width - 2));
    }
    boolean named = ownLine || !note.isEmpty();
    double best = 0;
    for (BenchReport.ResultRow row : rows) {
      Double rate = row.rate();
      best = Math.max(best, rate == null ? 0 : rate);
    }
    BenchReport.ResultRow winner = winner(rows);
    List<BenchReport.ResultRow> others = Winners.of(rows).stream().map(Winners.Win::row).toList();
    for (BenchReport.ResultRow row : rows) {
      String line = line(row, named ? "" : row.size(), best, row == winner);
      out.println(others.contains(row) ? line + style.warning(WINS) : line);
      named = true;
    }
    out.flush();
  }

  private static BenchReport.ResultRow winner(List<BenchReport.ResultRow> rows) {
    BenchReport.ResultRow winner = rows.getFirst();
    double best = 0;
    for (BenchReport.ResultRow row : rows) {
      Double rate = row.rate();
      if (rate != null && row.role().equals("backend") && rate > best) {
        best = rate;
        winner = row;
      }
    }
    return winner;
  }

  private void heading(String title, BenchReport.ResultRow first) {
    String line = "── " + title + " ";
    out.println();
    out.println(style.bold(line + "─".repeat(Math.max(0, width - line.length()))));
    String columns =
        INDENT
            + Texts.left("size", SIZE + 1)
            + Texts.left("by", VARIANT + 1)
            + Texts.right("th", THREADS)
            + Texts.right("median", TIME + 1)
            + Texts.right("±", SPREAD + 1)
            + Texts.right(first.rateUnit(), RATE + 1)
            + Texts.right(first.role().equals("baseline") ? "" : "limit", SHARE + 1);
    out.println(style.dim(columns));
  }

  private String line(BenchReport.ResultRow row, String size, double best, boolean winner) {
    String head =
        INDENT
            + Texts.left(size, SIZE + 1)
            + Texts.left(row.by(), VARIANT)
            + " "
            + Texts.right(Integer.toString(row.threads()), THREADS)
            + " ";
    Statistics nanos = row.nanos();
    Double rate = row.rate();
    if (nanos == null || rate == null) {
      String text = Texts.cut(row.status() + ": " + row.message(), width - head.length());
      return head + (row.status().equals("skipped") ? style.dim(text) : style.bad(text));
    }
    boolean baseline = row.role().equals("baseline");
    Double share = row.share();
    String rateText = Texts.right(Texts.rate(rate), RATE);
    String spread = Texts.right(Texts.percent(nanos.spread()), SPREAD);
    return (baseline ? style.dim(head) : head)
        + Texts.right(Texts.time(nanos.median()), TIME)
        + " "
        + (nanos.spread() > 0.1 ? style.warning(spread) : style.dim(spread))
        + " "
        + (winner ? style.good(rateText) : rateText)
        + " "
        + Texts.right(share == null ? "" : Texts.percent(share), SHARE)
        + " "
        + style.bar(Texts.bar(rate / best, barWidth), baseline);
  }
}
