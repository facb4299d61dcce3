package io.smallmind.bench.compare;

import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.report.BenchReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes one result of several processes that measured the same work: each of them is a round, and
 * the figures of a row are medians over them. What is said of the machine is the first one's.
 */
public final class MergedRuns {
  private MergedRuns() {}

  /**
   * Merges.
   *
   * @param runs at least one, of the same command
   */
  public static BenchReport of(List<BenchReport> runs) {
    Map<String, List<BenchReport.ResultRow>> byId = new LinkedHashMap<>();
    for (BenchReport run : runs) {
      run.results()
          .forEach(row -> byId.computeIfAbsent(row.id(), id -> new ArrayList<>()).add(row));
    }
    List<BenchReport.ResultRow> rows =
        byId.values().stream().map(list -> row(list, runs.size())).toList();
    BenchReport.Load begin = runs.getFirst().load();
    return runs.getFirst()
        .with(
            rows,
            new BenchReport.Load(
                begin.start(),
                runs.getLast().load().end(),
                median(runs, run -> run.load().foreignStart()),
                median(runs, run -> run.load().foreignEnd())));
  }

  /** A row that was wrong once is wrong; one that most runs skipped is skipped. */
  private static BenchReport.ResultRow row(List<BenchReport.ResultRow> rows, int runs) {
    List<BenchReport.ResultRow> measured = new ArrayList<>();
    BenchReport.ResultRow without = null;
    for (BenchReport.ResultRow row : rows) {
      if (row.isMeasured()) {
        measured.add(row);
      } else if (row.status().equals("skipped")) {
        without = without == null ? row : without;
      } else {
        return row;
      }
    }
    return without != null && 2 * measured.size() <= runs ? without : merged(measured);
  }

  private static BenchReport.ResultRow merged(List<BenchReport.ResultRow> rows) {
    BenchReport.ResultRow first = rows.getFirst();
    Map<String, Double> figures = new LinkedHashMap<>();
    for (String name : first.figures().keySet()) {
      Double middle = median(rows, row -> row.figures().get(name));
      if (middle != null) {
        figures.put(name, middle);
      }
    }
    Long collections = first.collections();
    return new BenchReport.ResultRow(
        first.id(),
        first.work(),
        first.subject(),
        first.size(),
        first.shape(),
        first.variant(),
        first.role(),
        first.threads(),
        first.status(),
        first.message(),
        first.verification(),
        first.operationsPerCall(),
        first.bytesPerCall(),
        times(rows.stream().map(BenchReport.ResultRow::nanos).filter(Objects::nonNull).toList()),
        median(rows, BenchReport.ResultRow::gflops),
        median(rows, BenchReport.ResultRow::gigabytesPerSecond),
        median(rows, BenchReport.ResultRow::tokensPerSecond),
        first.rateUnit(),
        median(rows, BenchReport.ResultRow::share),
        first.shareOf(),
        median(rows, BenchReport.ResultRow::reference),
        median(rows, BenchReport.ResultRow::heapBytesPerCall),
        collections == null
            ? null
            : rows.stream()
                .map(BenchReport.ResultRow::collections)
                .filter(Objects::nonNull)
                .mapToLong(Long::longValue)
                .sum(),
        figures,
        first.series());
  }

  private static Statistics times(List<Statistics> all) {
    List<Double> medians = all.stream().map(Statistics::median).toList();
    return new Statistics(
        all.stream().mapToLong(Statistics::samples).sum(),
        all.getFirst().callsPerSample(),
        all.stream().mapToDouble(Statistics::min).min().orElseThrow(),
        all.stream().mapToDouble(Statistics::mean).average().orElseThrow(),
        middle(all, Statistics::median),
        middle(all, Statistics::p95),
        middle(all, Statistics::p99),
        all.stream().mapToDouble(Statistics::max).max().orElseThrow(),
        middle(all, Statistics::mad),
        middle(all, Statistics::iqr),
        all.size() == 1 ? all.getFirst().roundMedians() : medians);
  }

  private static <T> @Nullable Double median(List<T> all, Function<T, @Nullable Double> value) {
    double[] known =
        all.stream().map(value).filter(Objects::nonNull).mapToDouble(Double::doubleValue).toArray();
    return known.length == 0 ? null : Double.valueOf(ChangeDetector.median(known));
  }

  private static <T> double middle(List<T> all, ToDoubleFunction<T> value) {
    return ChangeDetector.median(all.stream().mapToDouble(value).toArray());
  }
}
