package io.smallmind.bench.report;

import io.smallmind.bench.host.HomeFolder;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Outcome;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.measure.Trial;
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
    for (Outcome outcome : outcomes) {
      if (outcome.statistics() != null) {
        rows.addAll(PartRows.of(workload, outcomes, outcome));
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
    return switch (workload.metric()) {
      case GFLOPS -> or(trial.operations(), workload.operations()) / statistics.median();
      case GIGABYTES -> or(trial.bytes(), workload.bytes()) / statistics.median();
      case CALLS -> 1e9 / statistics.median();
      case TOKENS -> workload.tokens() / statistics.median() * 1e9;
    };
  }

  /** Returns the rate of what is limited, in units of the limit, or null without figures. */
  public static @Nullable Double limitedRate(Workload workload, Outcome outcome) {
    Statistics statistics = outcome.statistics();
    if (statistics == null || workload.limit() == null) {
      return null;
    }
    Trial trial = outcome.trial();
    double amount =
        workload.limit() == LimitKind.READ
            ? or(trial.bytes(), workload.bytes())
            : or(trial.operations(), workload.operations());
    return amount / statistics.median();
  }

  private static @Nullable Double comparable(Workload workload, Outcome outcome) {
    return workload.limit() == null ? rate(workload, outcome) : limitedRate(workload, outcome);
  }

  private static double or(double own, double common) {
    return Double.isNaN(own) ? common : own;
  }

  /** What rates are a share of. */
  private record Reference(String name, @Nullable Double rate) {}

  private static Reference reference(Workload workload, List<Outcome> outcomes, int threads) {
    LimitKind limit = workload.limit();
    Role role = workload.limit() == null ? Role.BASELINE : Role.LIMIT;
    Double best = null;
    String name = "";
    for (Outcome outcome : outcomes) {
      Double rate = comparable(workload, outcome);
      boolean other = limit != null && !outcome.trial().variant().equals(limit.title());
      if (outcome.trial().role() == role
          && !other
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
    Double rate = comparable(workload, outcome);
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
        HomeFolder.shortened(outcome.message()),
        verdict == null || verdict.checked() == 0
            ? null
            : new BenchReport.Verification(verdict.checked(), verdict.worst()),
        workload.operations(),
        workload.bytes(),
        statistics,
        statistics == null ? null : workload.operations() / statistics.median(),
        statistics == null ? null : workload.bytes() / statistics.median(),
        statistics == null || workload.tokens() == 0
            ? null
            : workload.tokens() / statistics.median() * 1e9,
        workload.metric().unit(),
        rate == null || reference.rate == null ? null : rate / reference.rate,
        reference.name,
        reference.rate,
        outcome.heapBytesPerCall(),
        statistics == null || outcome.heapBytesPerCall() == null ? null : outcome.collections(),
        trial.figures(),
        outcome.series());
  }

  /** Returns the lengths, as they are part of a row's name. */
  static String shape(Workload workload) {
    return workload.shape().values().stream()
        .map(Objects::toString)
        .collect(Collectors.joining("x"));
  }

  private static String id(Workload workload, Trial trial) {
    return String.join(
        "/",
        workload.work(),
        workload.subject(),
        shape(workload),
        trial.variant().replace(' ', '-').replace(",", ""),
        "threads-" + trial.threads());
  }
}
