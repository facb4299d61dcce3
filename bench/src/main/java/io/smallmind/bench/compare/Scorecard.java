package io.smallmind.bench.compare;

import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.Style;
import io.smallmind.bench.report.Texts;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prints a comparison: what changed first, then how each kind of work did, then the verdict. */
public final class Scorecard {
  private static final int ID = 46;
  private static final int BAR = 10;

  private final PrintWriter out;
  private final Style style;

  /** Creates a printer. */
  public Scorecard(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
  }

  /**
   * Prints a comparison.
   *
   * @param all whether rows that did not change are printed too
   */
  public void print(BenchReport base, BenchReport head, RunComparison comparison, boolean all) {
    out.println(style.bold("Before: ") + title(base));
    out.println(style.bold("After:  ") + title(head));
    if (!comparison.incomparable().isEmpty()) {
      out.println();
      out.println(style.bad("Not comparable: " + comparison.incomparable()));
      out.flush();
      return;
    }
    List<RunComparison.Row> shown = new ArrayList<>();
    for (RunComparison.Row row : comparison.rows()) {
      if (all || row.isRegression() || row.change().kind() == Change.Kind.FASTER) {
        shown.add(row);
      }
    }
    if (!shown.isEmpty()) {
      out.println();
      out.println(
          style.dim(
              "  "
                  + Texts.left("row", ID)
                  + Texts.right("before", 9)
                  + Texts.right("after", 9)
                  + "  time × (interval)"));
      shown.forEach(this::row);
    }
    for (String id : comparison.lost()) {
      out.println(style.bad("  no longer measured: " + id));
    }
    works(comparison);
    verdict(comparison);
    out.flush();
  }

  private static String title(BenchReport report) {
    String revision = report.host().revision();
    return report.startedAt()
        + (revision.isEmpty() ? "" : ", " + revision)
        + ", bench "
        + String.join(" ", report.arguments());
  }

  private void row(RunComparison.Row row) {
    Change change = row.change();
    String line =
        "  "
            + Texts.left(row.head().id(), ID)
            + Texts.right(Texts.time(median(row.base())), 9)
            + Texts.right(Texts.time(median(row.head())), 9)
            + String.format(
                Locale.ROOT, "  %.2f (%.2f–%.2f)", change.ratio(), change.low(), change.high());
    String more = row.memory().isEmpty() ? "" : "  more " + row.memory();
    out.println(
        switch (change.kind()) {
          case SLOWER -> style.bad(line + more);
          case FASTER -> style.good(line) + style.warning(more);
          default -> line + style.warning(more);
        });
    double most = Math.max(median(row.base()), median(row.head()));
    out.println(
        "    "
            + style.bar(Texts.left(Texts.bar(median(row.base()) / most, BAR), BAR), true)
            + " → "
            + style.bar(Texts.bar(median(row.head()) / most, BAR), false));
  }

  private static double median(BenchReport.ResultRow row) {
    var nanos = row.nanos();
    return nanos == null ? Double.NaN : nanos.median();
  }

  private void works(RunComparison comparison) {
    Map<String, List<RunComparison.Row>> groups = new LinkedHashMap<>();
    for (RunComparison.Row row : comparison.rows()) {
      String work = row.head().work() + " " + row.head().subject();
      groups.computeIfAbsent(work, any -> new ArrayList<>()).add(row);
    }
    out.println();
    out.println(style.bold("Time ×, geometric mean of each kind of work"));
    groups.forEach(
        (work, rows) -> {
          double sum = 0;
          for (RunComparison.Row row : rows) {
            sum += Math.log(row.change().ratio());
          }
          double mean = Math.exp(sum / rows.size());
          out.println(
              String.format(
                  Locale.ROOT, "  %s %.2f  (%d rows)", Texts.left(work, 40), mean, rows.size()));
        });
  }

  private void verdict(RunComparison comparison) {
    long memory = comparison.rows().stream().filter(row -> !row.memory().isEmpty()).count();
    out.println();
    out.println(
        String.format(
            Locale.ROOT,
            "%d slower, %d faster, %d the same, %d unclear; %d need more memory; %d lost",
            comparison.rows(Change.Kind.SLOWER).size(),
            comparison.rows(Change.Kind.FASTER).size(),
            comparison.rows(Change.Kind.SAME).size(),
            comparison.rows(Change.Kind.UNCLEAR).size(),
            memory,
            comparison.lost().size()));
    if (comparison.isRegression()) {
      out.println(style.bad("Verdict: worse than before"));
    } else if (!comparison.rows(Change.Kind.FASTER).isEmpty()) {
      out.println(style.good("Verdict: better than before"));
    } else {
      out.println(style.good("Verdict: no difference"));
    }
    visible(comparison);
  }

  /** Says what would have been found: a verdict is worth no more. */
  private void visible(RunComparison comparison) {
    List<RunComparison.Row> rows =
        comparison.rows().stream()
            .filter(row -> row.change().kind() != Change.Kind.UNCLEAR)
            .sorted(Comparator.comparingDouble(row -> row.change().visible()))
            .toList();
    if (rows.isEmpty()) {
      return;
    }
    RunComparison.Row middle = rows.get((rows.size() - 1) / 2);
    RunComparison.Row worst = rows.getLast();
    String text =
        "A slowdown by " + percent(middle) + " would be found in 19 of 20 such comparisons";
    if (!percent(worst).equals(percent(middle))) {
      text += "; in " + worst.head().id() + ", by " + percent(worst);
    }
    out.println(style.dim(text + "."));
    if (!comparison.paired()) {
      out.println(
          style.dim(
              "The sides did not take turns: --run lets them, and sees much smaller changes."));
    }
  }

  private static String percent(RunComparison.Row row) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * (row.change().visible() - 1));
  }
}
