package io.smallmind.bench.report;

import io.smallmind.bench.measure.Statistics;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Prints where the time of passes went: a line for each step, with its share as a bar. */
public final class ProfileTable {
  /** The work of such rows. */
  public static final String WORK = "profile";

  private static final int STEP = 21;
  private static final int BAR = 14;

  private final PrintWriter out;
  private final Style style;

  /** Creates a printer. */
  public ProfileTable(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
  }

  /**
   * Prints a table for each backend and number of threads.
   *
   * @param rows of one case: whole passes, watched and not, and their parts
   */
  public void print(List<BenchReport.ResultRow> rows) {
    Map<String, List<BenchReport.ResultRow>> tables =
        rows.stream()
            .filter(row -> row.work().equals(WORK))
            .collect(
                Collectors.groupingBy(
                    row -> row.subject() + ", " + row.variant() + " ×" + row.threads(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    tables.forEach(
        (title, parts) -> {
          out.println();
          out.println("  " + style.bold(title) + style.dim(overhead(rows, parts.getFirst())));
          out.println(
              style.dim(
                  "  "
                      + Texts.left("step", STEP)
                      + Texts.right("calls", 6)
                      + Texts.right("time", 9)
                      + Texts.right("wait", 5)
                      + Texts.right("GB/s", 6)
                      + Texts.right("GFLOPS", 7)
                      + Texts.right("roof", 5)
                      + "  share"));
          parts.forEach(this::line);
          layers(parts);
        });
    out.flush();
  }

  private void line(BenchReport.ResultRow row) {
    Statistics nanos = row.nanos();
    if (nanos == null) {
      return;
    }
    double share = row.figures().getOrDefault("shareOfPass", 0.0);
    double wait = row.figures().getOrDefault("waitNanos", 0.0) / nanos.median();
    Double roof = row.share();
    out.println(
        "  "
            + Texts.left(row.size(), STEP)
            + Texts.right(Long.toString(Math.round(row.figures().getOrDefault("calls", 0.0))), 6)
            + Texts.right(Texts.time(nanos.median()), 9)
            + Texts.right(Texts.percent(wait), 5)
            + Texts.right(rate(row.gigabytesPerSecond()), 6)
            + Texts.right(rate(row.gflops()), 7)
            + Texts.right(roof == null ? "" : Texts.percent(roof), 5)
            + " "
            + Texts.right(Texts.percent(share), 4)
            + " "
            + style.bar(Texts.bar(share, BAR), false));
  }

  private static String rate(@Nullable Double rate) {
    return rate == null || rate < 0.05 ? "" : Texts.rate(rate);
  }

  /** Prints how the time goes over the layers. */
  private void layers(List<BenchReport.ResultRow> parts) {
    int count = parts.stream().mapToInt(row -> row.series().size()).max().orElse(0);
    double[] byLayer = new double[count];
    for (BenchReport.ResultRow part : parts) {
      for (int layer = 0; layer < part.series().size(); layer++) {
        byLayer[layer] += part.series().get(layer);
      }
    }
    if (count > 1) {
      List<Double> times = java.util.Arrays.stream(byLayer).boxed().toList();
      double least = times.stream().min(Double::compare).orElse(0.0);
      double most = times.stream().max(Double::compare).orElse(0.0);
      out.println(
          style.dim(
              "  layers 0 to "
                  + (count - 1)
                  + "  "
                  + Texts.spark(times)
                  + "  "
                  + Texts.time(least)
                  + " to "
                  + Texts.time(most)));
    }
  }

  /** Returns what watching costs: rounds watched by rounds not watched. */
  private static String overhead(List<BenchReport.ResultRow> rows, BenchReport.ResultRow part) {
    Double cost = part.figures().get("overhead");
    return cost == null || rows.isEmpty()
        ? ""
        : String.format(java.util.Locale.ROOT, "  watching costs %+.1f %%", 100 * cost);
  }
}
