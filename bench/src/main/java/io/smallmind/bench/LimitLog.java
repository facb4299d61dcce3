package io.smallmind.bench;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Interleaver;
import io.smallmind.bench.measure.Outcome;
import io.smallmind.bench.measure.Pace;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.Rows;
import io.smallmind.bench.report.Texts;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Team;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Measures the machine's limits before and after the runs, and keeps those found in between. */
final class LimitLog {
  private static final Pace PACE = new Pace(3, 40_000_000, 300_000_000, Long.MAX_VALUE);
  private static final Pace QUICK_PACE = new Pace(2, 15_000_000, 60_000_000, Long.MAX_VALUE);

  /** A limit that moved by more between start and end is worth a word. */
  private static final double DRIFT = 0.1;

  private record Key(LimitKind kind, int threads) {}

  private final Limits limits;
  private final List<Team> teams;
  private final Pace pace;
  private final Map<Key, Double> start = new LinkedHashMap<>();
  private final Map<Key, Double> end = new LinkedHashMap<>();
  private final Map<Key, List<Double>> during = new LinkedHashMap<>();

  LimitLog(Limits limits, List<Team> teams, boolean quick) {
    this.limits = limits;
    this.teams = teams;
    pace = quick ? QUICK_PACE : PACE;
  }

  void measureStart() {
    measure(start);
  }

  void measureEnd() {
    measure(end);
  }

  private void measure(Map<Key, Double> into) {
    for (LimitKind kind : LimitKind.values()) {
      for (Team team : teams) {
        limits
            .trial(kind, team)
            .ifPresent(
                trial -> {
                  Outcome outcome =
                      new Interleaver(pace, (one, step) -> {}).run(List.of(trial)).getFirst();
                  Statistics statistics = outcome.statistics();
                  if (statistics != null) {
                    into.put(new Key(kind, team.size()), rate(kind, trial, statistics));
                  }
                });
      }
    }
  }

  private static double rate(LimitKind kind, Trial trial, Statistics statistics) {
    double amount = kind == LimitKind.READ ? trial.bytes() : trial.operations();
    return amount / statistics.median();
  }

  /** Keeps the limits that were measured in turn with a workload. */
  void during(Workload workload, List<Outcome> outcomes) {
    LimitKind kind = workload.limit();
    if (kind == null) {
      return;
    }
    for (Outcome outcome : outcomes) {
      Double rate = Rows.limitedRate(workload, outcome);
      if (outcome.trial().role() == Role.LIMIT
          && outcome.trial().variant().equals(kind.title())
          && rate != null) {
        during
            .computeIfAbsent(new Key(kind, outcome.trial().threads()), key -> new ArrayList<>())
            .add(rate);
      }
    }
  }

  /** Returns a row for each limit and number of threads. */
  List<BenchReport.LimitRow> rows() {
    List<BenchReport.LimitRow> rows = new ArrayList<>();
    start.forEach(
        (key, rate) ->
            rows.add(
                new BenchReport.LimitRow(
                    key.kind().title(),
                    key.kind().unit(),
                    key.threads(),
                    limits.detail(),
                    rate,
                    end.get(key),
                    List.copyOf(during.getOrDefault(key, List.of())))));
    return rows;
  }

  /** Returns a line for each limit that moved while the runs went on. */
  List<String> drift() {
    List<String> lines = new ArrayList<>();
    for (BenchReport.LimitRow row : rows()) {
      Double after = row.end();
      if (after != null && Math.abs(after / row.start() - 1) > DRIFT) {
        lines.add(
            "the machine changed: "
                + row.kind()
                + " ×"
                + row.threads()
                + " went from "
                + Texts.rate(row.start())
                + " to "
                + Texts.rate(after)
                + " "
                + row.unit());
      }
    }
    return lines;
  }
}
