package io.smallmind.bench.report;

import io.smallmind.bench.measure.Statistics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes results as Markdown: tables with bars of text. */
public final class MarkdownReport {
  private static final int BAR = 16;
  private static final String TITLE = "# SmallMind bench";
  private static final String UNKNOWN = "not found out yet";

  private MarkdownReport() {}

  /**
   * Writes a page.
   *
   * @param results JSON files of the bench
   * @param notes what else belongs on it
   * @throws IOException if one can't be read, or the page not be written
   */
  public static void write(List<Path> results, Notes notes, Path page) throws IOException {
    StringBuilder text =
        new StringBuilder(notes.introduction().isEmpty() ? TITLE : notes.introduction());
    text.append('\n');
    List<BenchReport> reports = new ArrayList<>();
    for (Path result : results) {
      reports.add(JsonReport.read(result));
    }
    wins(reports, notes, text);
    for (int i = 0; i < reports.size(); i++) {
      run(link(results.get(i), page), reports.get(i), text);
    }
    Files.writeString(page, text, StandardCharsets.UTF_8);
  }

  private static void wins(List<BenchReport> reports, Notes notes, StringBuilder text) {
    StringBuilder lines = new StringBuilder();
    for (BenchReport report : reports) {
      for (Winners.Win win : Winners.of(report.results())) {
        BenchReport.ResultRow row = win.row();
        String why = notes.why(row);
        lines.append("| ").append(title(row)).append(' ').append(row.size()).append(" ×");
        lines.append(row.threads()).append(" | ").append(row.variant()).append(" | ");
        lines.append(Texts.ratio(win.ratio())).append(" × ").append(win.ours().variant());
        lines
            .append(" | ")
            .append(why.isEmpty() ? UNKNOWN : why.replace("|", "\\|"))
            .append(" |\n");
      }
    }
    if (!lines.isEmpty()) {
      text.append("\n## Where others win\n\n");
      text.append("| work | who | speed | why |\n|---|---|---|---|\n").append(lines);
    }
  }

  private static String title(BenchReport.ResultRow row) {
    return row.work() + (row.work().equals(row.subject()) ? "" : " " + row.subject());
  }

  /** Returns where a file is, seen from the page; its name alone if it is elsewhere. */
  private static String link(Path file, Path page) {
    Path folder = page.toAbsolutePath().normalize().getParent();
    Path absolute = file.toAbsolutePath().normalize();
    String shown =
        folder != null && absolute.startsWith(folder)
            ? folder.relativize(absolute).toString()
            : String.valueOf(absolute.getFileName());
    return shown.replace('\\', '/');
  }

  private static void run(String file, BenchReport report, StringBuilder text) {
    text.append("\n## bench ").append(report.command()).append("\n\n");
    text.append("`scripts/smallmind bench ").append(String.join(" ", report.arguments()));
    text.append("`, ").append(report.startedAt()).append(", ").append(report.host().cpu());
    text.append(" ×").append(report.host().processors()).append(", Java ");
    text.append(report.host().javaVersion()).append("; all figures: [");
    text.append(file).append("](").append(file).append(").\n\n");
    String limits =
        report.limits().stream()
            .map(
                one ->
                    one.kind()
                        + " ×"
                        + one.threads()
                        + " "
                        + Texts.rate(one.start())
                        + " "
                        + one.unit())
            .collect(Collectors.joining(", "));
    text.append("Limits: ").append(limits.isEmpty() ? "not measured" : limits).append(".\n");
    Map<String, List<BenchReport.ResultRow>> groups =
        report.results().stream()
            .collect(
                Collectors.groupingBy(
                    MarkdownReport::title, LinkedHashMap::new, Collectors.toList()));
    groups.forEach((title, rows) -> table(title, rows, text));
    for (String warning : report.warnings()) {
      text.append("\nNote: ").append(warning).append(".\n");
    }
  }

  private static void table(String title, List<BenchReport.ResultRow> rows, StringBuilder text) {
    text.append("\n### ").append(title).append("\n\n");
    text.append("| size | by | threads | rate | | median | 99 % | of limit |\n");
    text.append("|---|---|---:|---:|---|---:|---:|---:|\n");
    double best = 0;
    for (BenchReport.ResultRow row : rows) {
      Double rate = row.rate();
      best = Math.max(best, rate == null ? 0 : rate);
    }
    List<BenchReport.ResultRow> winners = Winners.of(rows).stream().map(Winners.Win::row).toList();
    for (BenchReport.ResultRow row : rows) {
      text.append("| ").append(row.size()).append(" | ").append(row.variant());
      text.append(" | ").append(row.threads()).append(" | ");
      Statistics nanos = row.nanos();
      Double rate = row.rate();
      if (nanos == null || rate == null) {
        text.append(row.status()).append(": ").append(row.message().replace("|", "\\|"));
        text.append(" | | | | |\n");
        continue;
      }
      Double share = row.share();
      text.append(Texts.rate(rate)).append(' ').append(row.rateUnit());
      text.append(" | ").append(Texts.bar(rate / best, BAR));
      text.append(winners.contains(row) ? " wins" : "");
      text.append(" | ").append(Texts.time(nanos.median()));
      text.append(" | ").append(Texts.time(nanos.p99()));
      text.append(" | ").append(share == null ? "" : Texts.percent(share)).append(" |\n");
    }
  }
}
