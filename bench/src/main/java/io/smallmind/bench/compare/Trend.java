package io.smallmind.bench.compare;

import io.smallmind.bench.report.BenchReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Results of one machine, command and kind of settings, over time.
 *
 * @param title what they have in common
 * @param runs in the order of time
 */
public record Trend(String title, List<BenchReport> runs) {
  /**
   * A row over time.
   *
   * @param id of the row
   * @param rates of the runs that measured it, the oldest first
   * @param unit of the rates
   * @param last how the newest run compares to the one before
   */
  public record Line(String id, List<Double> rates, String unit, Change.Kind last) {}

  /** Puts results that can be compared together, and in order. */
  public static List<Trend> of(List<BenchReport> results) {
    Map<String, List<BenchReport>> groups = new LinkedHashMap<>();
    results.stream()
        .sorted(Comparator.comparing(BenchReport::startedAt))
        .forEach(run -> groups.computeIfAbsent(title(run), any -> new ArrayList<>()).add(run));
    return groups.entrySet().stream()
        .map(group -> new Trend(group.getKey(), List.copyOf(group.getValue())))
        .toList();
  }

  private static String title(BenchReport run) {
    return "bench "
        + run.command()
        + (run.settings().quick() ? " --quick" : "")
        + " on "
        + run.host().cpu()
        + " ×"
        + run.host().processors();
  }

  /**
   * Returns every row of the newest run that an earlier one has too.
   *
   * @param tolerance what is no change
   */
  public List<Line> lines(ChangeDetector.Tolerance tolerance) {
    List<Line> lines = new ArrayList<>();
    if (runs.size() < 2) {
      return lines;
    }
    RunComparison newest =
        RunComparison.of(runs.get(runs.size() - 2), runs.getLast(), tolerance, false);
    for (RunComparison.Row row : newest.rows()) {
      String id = row.head().id();
      List<Double> rates =
          runs.stream()
              .flatMap(run -> run.results().stream())
              .filter(one -> one.id().equals(id))
              .map(BenchReport.ResultRow::rate)
              .filter(Objects::nonNull)
              .toList();
      lines.add(new Line(id, rates, row.head().rateUnit(), row.change().kind()));
    }
    return lines;
  }
}
