package io.smallmind.bench.report;

import io.smallmind.bench.measure.Statistics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes results as Markdown: tables with bars of text. */
public final class MarkdownReport {
  private static final int BAR = 16;

  private MarkdownReport() {}

  /**
   * Writes a page.
   *
   * @param results JSON files of the bench
   * @throws IOException if one can't be read, or the page not be written
   */
  public static void write(List<Path> results, Path page) throws IOException {
    StringBuilder text = new StringBuilder("# SmallMind bench\n");
    for (Path result : results) {
      run(link(result, page), JsonReport.read(result), text);
    }
    Files.writeString(page, text, StandardCharsets.UTF_8);
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
                    row ->
                        row.work() + (row.work().equals(row.subject()) ? "" : " " + row.subject()),
                    LinkedHashMap::new,
                    Collectors.toList()));
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
      text.append(" | ").append(Texts.time(nanos.median()));
      text.append(" | ").append(Texts.time(nanos.p99()));
      text.append(" | ").append(share == null ? "" : Texts.percent(share)).append(" |\n");
    }
  }
}
