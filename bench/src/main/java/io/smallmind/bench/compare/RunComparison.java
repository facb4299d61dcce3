package io.smallmind.bench.compare;

import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.report.BenchReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two runs side by side.
 *
 * @param paired whether both sides took turns
 * @param incomparable why the runs can't be compared; empty if they can
 * @param rows measured in both
 * @param lost ids of rows that were measured in the first run only: wrong, failed or gone
 */
public record RunComparison(
    boolean paired, String incomparable, List<Row> rows, List<String> lost) {
  /** Heap bytes of a call that are worth a word, above what bookkeeping allocates. */
  private static final double HEAP_SLACK = 64;

  /** How much more memory matters, as a share. */
  private static final double MEMORY_SLACK = 0.1;

  /** How many processors others may take from those that are measured. */
  private static final double FOREIGN_SLACK = 0.5;

  private static final String RESIDENT = "residentBytes";

  /**
   * A row of both runs.
   *
   * @param memory what it needs more memory for; empty if it doesn't
   */
  public record Row(
      BenchReport.ResultRow base, BenchReport.ResultRow head, Change change, String memory) {
    /** Tells whether this is worse than before. */
    public boolean isRegression() {
      return change.kind() == Change.Kind.SLOWER || !memory.isEmpty();
    }
  }

  /**
   * Compares two runs.
   *
   * @param paired whether both sides took turns, and each of their rounds is a run
   */
  public static RunComparison of(
      BenchReport base, BenchReport head, ChangeDetector.Tolerance tolerance, boolean paired) {
    String incomparable = difference(base, head);
    Map<String, BenchReport.ResultRow> before = measured(base);
    Map<String, BenchReport.ResultRow> after = measured(head);
    List<String> lost = before.keySet().stream().filter(id -> !after.containsKey(id)).toList();
    List<String> common = before.keySet().stream().filter(after::containsKey).toList();
    if (incomparable.isEmpty() && common.isEmpty()) {
      incomparable = "no row was measured in both";
    }
    List<Row> rows = new ArrayList<>();
    ChangeDetector detector = new ChangeDetector(tolerance, Math.max(1, common.size()), paired);
    for (String id : common) {
      rows.add(row(before.get(id), after.get(id), detector));
    }
    return new RunComparison(paired, incomparable, List.copyOf(rows), lost);
  }

  private static @Nullable Row judged(
      BenchReport.@Nullable ResultRow base,
      BenchReport.@Nullable ResultRow head,
      ChangeDetector detector) {
    Statistics before = base == null ? null : base.nanos();
    Statistics after = head == null ? null : head.nanos();
    if (base == null || head == null || before == null || after == null) {
      return null;
    }
    Double baseReference = base.reference();
    Double headReference = head.reference();
    // Pairs are of the same moment: what the machine could do then is no news.
    boolean referred =
        !detector.paired()
            && baseReference != null
            && headReference != null
            && base.shareOf().equals(head.shareOf());
    Change change =
        detector.judge(
            before.roundMedians(),
            after.roundMedians(),
            referred && baseReference != null ? baseReference : 1,
            referred && headReference != null ? headReference : 1);
    return new Row(base, head, change, memory(base, head));
  }

  private static Row row(
      BenchReport.@Nullable ResultRow base,
      BenchReport.@Nullable ResultRow head,
      ChangeDetector detector) {
    Row row = judged(base, head, detector);
    if (row == null) {
      throw new IllegalStateException("a row without figures was taken for a measured one");
    }
    return row;
  }

  /**
   * Returns the rows of backends: rivals may change as they like, and what a backend does in a
   * condition, such as beside other processes, hangs on more than itself.
   */
  private static Map<String, BenchReport.ResultRow> measured(BenchReport report) {
    Map<String, BenchReport.ResultRow> rows = new LinkedHashMap<>();
    for (BenchReport.ResultRow row : report.results()) {
      if (row.isMeasured() && row.role().equals("backend")) {
        rows.put(row.id(), row);
      }
    }
    return rows;
  }

  private static String difference(BenchReport base, BenchReport head) {
    if (base.schemaVersion() != head.schemaVersion()) {
      return "the files have different versions";
    }
    if (!base.command().equals(head.command())) {
      return "one is of bench " + base.command() + ", the other of bench " + head.command();
    }
    if (!base.host().cpu().equals(head.host().cpu())
        || base.host().processors() != head.host().processors()) {
      return "they were measured on different machines: "
          + base.host().cpu()
          + " ×"
          + base.host().processors()
          + " and "
          + head.host().cpu()
          + " ×"
          + head.host().processors();
    }
    BenchReport.Settings before = base.settings();
    BenchReport.Settings after = head.settings();
    if (before.quick() != after.quick() || before.sliceSeconds() != after.sliceSeconds()) {
      return "they were measured with different settings (--quick)";
    }
    String busy = busy(base);
    return busy.isEmpty() ? busy(head) : busy;
  }

  /** Says that threads had to wait for processors, which nothing can be told from. */
  private static String busy(BenchReport report) {
    Double foreign = report.load().foreignStart();
    int threads = report.settings().threads().stream().max(Integer::compare).orElse(1);
    int processors = report.host().processors();
    return foreign != null && foreign + threads > processors + FOREIGN_SLACK
        ? String.format(
            Locale.ROOT,
            "of %d processors, others kept %.1f busy, and %d were to be measured",
            processors,
            foreign,
            threads)
        : "";
  }

  private static String memory(BenchReport.ResultRow base, BenchReport.ResultRow head) {
    Double heapBefore = base.heapBytesPerCall();
    Double heapAfter = head.heapBytesPerCall();
    if (heapBefore != null
        && heapAfter != null
        && heapAfter > heapBefore * (1 + MEMORY_SLACK) + HEAP_SLACK) {
      return "heap per call";
    }
    Double residentBefore = base.figures().get(RESIDENT);
    Double residentAfter = head.figures().get(RESIDENT);
    boolean grew =
        residentBefore != null
            && residentAfter != null
            && residentAfter > residentBefore * (1 + MEMORY_SLACK) + (16 << 20);
    return grew ? "resident memory" : "";
  }

  /** Returns the rows of one kind. */
  public List<Row> rows(Change.Kind kind) {
    return rows.stream().filter(row -> row.change().kind() == kind).toList();
  }

  /** Tells whether something got worse, or is no longer measured. */
  public boolean isRegression() {
    return !lost.isEmpty() || rows.stream().anyMatch(Row::isRegression);
  }
}
