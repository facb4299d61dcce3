package io.smallmind.bench.report;

import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.work.Workload;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;

/** What a run found out about whole models: milliseconds, memory, and loading. */
final class ModelSummary {
  private static final int WORK = 21;
  private static final int VARIANT = 18;

  /** What a session waits for a token, where a call is many of them. */
  private static final String TOKEN = "tokenNanosMedian";

  private static final String TOKEN_P95 = "tokenNanosP95";
  private static final String TOKEN_P99 = "tokenNanosP99";

  private final PrintWriter out;
  private final Style style;

  ModelSummary(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
  }

  /** Prints a table for each model, if there are any. */
  void print(List<BenchReport.ResultRow> rows) {
    String subject = "";
    for (BenchReport.ResultRow row : rows) {
      Statistics nanos = row.nanos();
      Double rate = row.tokensPerSecond();
      if (Condition.in(row.variant()).equals(Condition.WATCHED)) {
        continue;
      }
      if (!row.rateUnit().equals("tok/s") || nanos == null || rate == null) {
        continue;
      }
      if (!row.subject().equals(subject)) {
        subject = row.subject();
        heading(subject);
      }
      Double heap = row.heapBytesPerCall();
      long tokens = Math.max(1, Math.round(rate * nanos.median() / 1e9));
      out.println(
          "  "
              + Texts.left(row.work() + " " + row.size(), WORK)
              + Texts.left(row.by(), VARIANT)
              + Texts.right(Integer.toString(row.threads()), 2)
              + Texts.right(Texts.time(row.figures().getOrDefault(TOKEN, nanos.median())), 9)
              + Texts.right(Texts.time(row.figures().getOrDefault(TOKEN_P95, nanos.p95())), 9)
              + Texts.right(Texts.time(row.figures().getOrDefault(TOKEN_P99, nanos.p99())), 9)
              + Texts.right(heap == null ? "" : Texts.bytes(heap / tokens), 10));
    }
    loading(rows);
    rows.stream()
        .filter(row -> row.work().equals(Workload.FIRST_TOKEN) && !row.figures().isEmpty())
        .forEach(this::fresh);
  }

  /** What a fresh process loaded, and how much memory it had then. */
  private void fresh(BenchReport.ResultRow row) {
    Map<String, Double> figures = row.figures();
    Double bytes = figures.get("processBytes");
    StringBuilder text = new StringBuilder("  ");
    text.append(row.variant()).append(" ×").append(row.threads()).append(" loaded in ");
    text.append(Texts.time(1e9 * figures.getOrDefault("loadSeconds", 0.0))).append(", ");
    text.append(Texts.rate(figures.getOrDefault("loadGigabytesPerSecond", 0.0))).append(" GB/s");
    if (bytes != null) {
      text.append(", ").append(Texts.bytes(bytes)).append(" = ");
      text.append(Texts.ratio(figures.getOrDefault("processShare", 0.0))).append(" × the file");
    }
    out.println(style.dim(text.toString()));
  }

  private void heading(String subject) {
    out.println();
    out.println(style.bold(subject));
    out.println(
        style.dim(
            "  "
                + Texts.left("", WORK)
                + Texts.left("by", VARIANT)
                + Texts.right("th", 2)
                + Texts.right("median", 9)
                + Texts.right("95%", 9)
                + Texts.right("99%", 9)
                + Texts.right("heap/tok", 10)));
  }

  private void loading(List<BenchReport.ResultRow> rows) {
    rows.stream()
        .filter(row -> row.figures().containsKey("loadSeconds"))
        .filter(row -> row.role().equals("backend"))
        .filter(row -> !row.work().equals(Workload.FIRST_TOKEN))
        .map(ModelSummary::loaded)
        .distinct()
        .forEach(line -> out.println(style.dim("  " + line)));
  }

  private static String loaded(BenchReport.ResultRow row) {
    Double resident = row.figures().get("residentBytes");
    return row.subject()
        + " on "
        + row.variant()
        + " ×"
        + row.threads()
        + " loaded in "
        + Texts.time(1e9 * row.figures().getOrDefault("loadSeconds", 0.0))
        + (resident == null ? "" : ", " + Texts.bytes(resident));
  }
}
