package io.smallmind.bench.report;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Outcome;
import io.smallmind.bench.measure.Part;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.work.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what a call is made of into rows of a report. */
final class PartRows {
  private PartRows() {}

  /** Returns a row for each part of an outcome's calls; none if they were not watched. */
  static List<BenchReport.ResultRow> of(
      Workload workload, List<Outcome> outcomes, Outcome outcome) {
    Trial trial = outcome.trial();
    List<Part> parts = trial.parts();
    double whole = parts.stream().mapToDouble(part -> part.nanos().median()).sum();
    Double cost = overhead(outcomes, outcome);
    List<BenchReport.ResultRow> rows = new ArrayList<>();
    for (Part part : parts) {
      Map<String, Double> figures = new LinkedHashMap<>();
      figures.put("calls", part.calls());
      figures.put("waitNanos", part.waitNanos());
      figures.put("shareOfPass", part.nanos().median() / whole);
      if (cost != null) {
        figures.put("overhead", cost);
      }
      rows.add(row(workload, trial, part, roofline(outcomes, trial.threads(), part), figures));
    }
    return rows;
  }

  /**
   * The least time that the machine could take for a part.
   *
   * @param kind the limit that this time is due to
   */
  private record Roofline(LimitKind kind, double rate, double nanos) {}

  private static @Nullable Roofline roofline(List<Outcome> outcomes, int threads, Part part) {
    Roofline highest = null;
    for (LimitKind kind : List.of(LimitKind.READ, part.compute())) {
      Double rate = limit(outcomes, kind, threads);
      double amount = kind == LimitKind.READ ? part.bytes() : part.operations();
      if (rate != null && amount > 0 && (highest == null || amount / rate > highest.nanos)) {
        highest = new Roofline(kind, rate, amount / rate);
      }
    }
    return highest;
  }

  private static @Nullable Double limit(List<Outcome> outcomes, LimitKind kind, int threads) {
    for (Outcome outcome : outcomes) {
      Trial trial = outcome.trial();
      Statistics statistics = outcome.statistics();
      if (statistics != null
          && trial.role() == Role.LIMIT
          && trial.threads() == threads
          && trial.variant().equals(kind.title())) {
        return (kind == LimitKind.READ ? trial.bytes() : trial.operations()) / statistics.median();
      }
    }
    return null;
  }

  /** Returns by how much watching makes calls longer, over paired rounds. */
  private static @Nullable Double overhead(List<Outcome> outcomes, Outcome watched) {
    Statistics with = watched.statistics();
    for (Outcome outcome : outcomes) {
      Statistics without = outcome.statistics();
      if (with == null
          || without == null
          || outcome.trial().threads() != watched.trial().threads()
          || !watched.trial().variant().equals(watchedName(outcome.trial()))) {
        continue;
      }
      int rounds = Math.min(with.roundMedians().size(), without.roundMedians().size());
      double[] ratios = new double[rounds];
      for (int round = 0; round < rounds; round++) {
        ratios[round] = with.roundMedians().get(round) / without.roundMedians().get(round);
      }
      java.util.Arrays.sort(ratios);
      return rounds == 0 ? null : (ratios[(rounds - 1) / 2] + ratios[rounds / 2]) / 2 - 1;
    }
    return null;
  }

  private static String watchedName(Trial trial) {
    return Condition.of(trial.variant(), Condition.WATCHED);
  }

  private static BenchReport.ResultRow row(
      Workload workload,
      Trial trial,
      Part part,
      @Nullable Roofline roofline,
      Map<String, Double> figures) {
    String variant = Condition.backend(trial.variant());
    String subject = workload.subject() + " " + workload.work();
    double median = part.nanos().median();
    boolean computes = roofline != null && roofline.kind != LimitKind.READ;
    return new BenchReport.ResultRow(
        String.join(
            "/",
            ProfileTable.WORK,
            subject,
            Rows.shape(workload),
            part.name().replace(",", "").replace(' ', '-'),
            variant,
            "threads-" + trial.threads()),
        ProfileTable.WORK,
        subject,
        part.name(),
        workload.shape(),
        variant,
        "backend",
        trial.threads(),
        "ok",
        "",
        null,
        part.operations(),
        part.bytes(),
        part.nanos(),
        part.operations() / median,
        part.bytes() / median,
        null,
        computes ? "GFLOPS" : "GB/s",
        roofline == null ? null : roofline.nanos / median,
        roofline == null ? "" : roofline.kind.title(),
        roofline == null ? null : roofline.rate,
        null,
        null,
        figures,
        part.byLayer());
  }
}
