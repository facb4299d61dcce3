package io.smallmind.bench.report;

import io.smallmind.bench.measure.Outcome;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Turns outcomes into rows of a report. */
public final class Rows {
  private Rows() {}

  /** Returns a row for each outcome but those of limits, which the rows refer to. */
  public static List<BenchReport.ResultRow> of(Workload workload, List<Outcome> outcomes) {
    List<BenchReport.ResultRow> rows = new ArrayList<>();
    for (Outcome outcome : outcomes) {
      if (outcome.trial().role() != Role.LIMIT) {
        rows.add(row(workload, outcome, reference(workload, outcomes, outcome.trial().threads())));
      }
    }
    return rows;
  }

  /** Returns the rate of an outcome in the workload's unit, or null without figures. */
  public static @Nullable Double rate(Workload workload, Outcome outcome) {
    Statistics statistics = outcome.statistics();
    if (statistics == null) {
      return null;
    }
    Trial trial = outcome.trial();
    double amount =
        workload.metric() == Metric.GFLOPS
            ? or(trial.operations(), workload.operations())
            : or(trial.bytes(), workload.bytes());
    return amount / statistics.median();
  }

  /** Returns the unit of a workload's rates. */
  public static String unit(Workload workload) {
    return workload.metric() == Metric.GFLOPS ? "GFLOPS" : "GB/s";
  }

  private static double or(double own, double common) {
    return Double.isNaN(own) ? common : own;
  }

  /** What rates are a share of. */
  private record Reference(String name, @Nullable Double rate) {}

  private static Reference reference(Workload workload, List<Outcome> outcomes, int threads) {
    Role role = workload.limit() == null ? Role.BASELINE : Role.LIMIT;
    Double best = null;
    String name = "";
    for (Outcome outcome : outcomes) {
      Double rate = rate(workload, outcome);
      if (outcome.trial().role() == role
          && outcome.trial().threads() == threads
          && rate != null
          && (best == null || rate > best)) {
        best = rate;
        name = outcome.trial().variant();
      }
    }
    return new Reference(name, best);
  }

  private static BenchReport.ResultRow row(
      Workload workload, Outcome outcome, Reference reference) {
    Trial trial = outcome.trial();
    Statistics statistics = outcome.statistics();
    Double rate = rate(workload, outcome);
    var verdict = outcome.verdict();
    return new BenchReport.ResultRow(
        id(workload, trial),
        workload.work(),
        workload.subject(),
        workload.size(),
        workload.shape(),
        trial.variant(),
        trial.role().name().toLowerCase(Locale.ROOT),
        trial.threads(),
        outcome.status().name().toLowerCase(Locale.ROOT),
        outcome.message(),
        verdict == null || verdict.checked() == 0
            ? null
            : new BenchReport.Verification(verdict.checked(), verdict.worst()),
        workload.operations(),
        workload.bytes(),
        statistics,
        statistics == null ? null : workload.operations() / statistics.median(),
        statistics == null ? null : workload.bytes() / statistics.median(),
        unit(workload),
        rate == null || reference.rate == null ? null : rate / reference.rate,
        reference.name,
        reference.rate,
        outcome.heapBytesPerCall(),
        statistics == null ? null : outcome.collections());
  }

  private static String id(Workload workload, Trial trial) {
    String shape =
        workload.shape().values().stream().map(Objects::toString).collect(Collectors.joining("x"));
    return String.join(
        "/",
        workload.work(),
        workload.subject(),
        shape,
        trial.variant().replace(' ', '-').replace(",", ""),
        "threads-" + trial.threads());
  }
}
