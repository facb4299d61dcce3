package io.smallmind.bench;

import io.smallmind.bench.host.HostInfo;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.Style;
import io.smallmind.bench.report.Texts;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.Kernels;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints where and what is measured, before the results. */
final class Banner {
  private static final int LABEL = 11;

  private final PrintWriter out;
  private final Style style;
  private final int width;

  Banner(PrintWriter out, Style style, int width) {
    this.out = out;
    this.style = style;
    this.width = width;
  }

  /**
   * Prints where it runs.
   *
   * @param kernels measured
   * @param candidates the reason why the best of them can't be used is worth a line
   */
  void host(String command, HostInfo host, List<Kernels> kernels, List<Candidate> candidates) {
    out.println(style.bold("SmallMind bench: " + command));
    Long memory = host.memoryBytes();
    line(
        "machine",
        host.cpu()
            + ", "
            + host.processors()
            + " processors, "
            + (memory == null ? "" : Texts.bytes(memory) + ", ")
            + host.caches().stream()
                .filter(cache -> !cache.startsWith("L1i"))
                .collect(Collectors.joining(", ")));
    line(
        "software",
        "Java "
            + host.javaVersion()
            + ", "
            + host.os()
            + (host.revision().isEmpty() ? "" : ", source " + host.revision()));
    line("backends", kernels.stream().map(Kernels::name).collect(Collectors.joining(", ")));
    Candidate best = candidates.getFirst();
    if (best.kernels() == null) {
      line("", "not " + best.name() + ": " + best.detail());
    }
    out.flush();
  }

  void limits(List<BenchReport.LimitRow> rows) {
    if (rows.isEmpty()) {
      line("limits", "not measured");
    }
    Map<Integer, String> byThreads = new LinkedHashMap<>();
    for (BenchReport.LimitRow row : rows) {
      String text =
          row.kind() + " " + String.format(Locale.ROOT, "%.0f ", row.start()) + row.unit();
      byThreads.merge(row.threads(), text, (a, b) -> a + ", " + b);
    }
    byThreads.forEach((threads, text) -> line("limits ×" + threads, shortened(text)));
    out.flush();
  }

  private void line(String label, String text) {
    out.println("  " + style.dim(Texts.left(label, LABEL)) + Texts.cut(text, width - LABEL - 2));
  }

  /** All limits of a number of threads fit on one line. */
  private static String shortened(String text) {
    return text.replace("memory ", "")
        .replace("FP32 multiply-add", "FP32")
        .replace("8-bit dot product", "8-bit dot");
  }
}
