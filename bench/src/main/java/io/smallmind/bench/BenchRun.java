package io.smallmind.bench;

import io.smallmind.bench.host.HomeFolder;
import io.smallmind.bench.host.HostInfo;
import io.smallmind.bench.host.HostReader;
import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Interleaver;
import io.smallmind.bench.measure.Outcome;
import io.smallmind.bench.measure.Pace;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.Comparison;
import io.smallmind.bench.report.JsonReport;
import io.smallmind.bench.report.ProfileTable;
import io.smallmind.bench.report.ResultTable;
import io.smallmind.bench.report.Rows;
import io.smallmind.bench.report.Style;
import io.smallmind.bench.report.Summary;
import io.smallmind.bench.report.Texts;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.OpenBlas;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One run of a measuring command from the first line of its output to the last. */
final class BenchRun {
  /** A workload that is made when its turn comes, and freed after it: data can be large. */
  record Plan(String title, Function<Contestants, Workload> workload) {}

  private static final long WATCH_MILLIS = 300;
  private static final double FOREIGN_LOAD = 0.2;

  private final String command;
  private final List<String> arguments;
  private final RunOptions options;
  private final List<Candidate> candidates;
  private final Terminal terminal;
  private final PrintWriter out;
  private final Style style;
  private final Progress progress;
  private final Pace pace;
  private final List<Kernels> kernels;
  private final List<BenchReport.ResultRow> rows = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private final boolean measuresMachine;
  private boolean failed;

  BenchRun(
      String command,
      List<String> arguments,
      RunOptions options,
      List<Candidate> candidates,
      Terminal terminal,
      boolean measuresMachine) {
    this.measuresMachine = measuresMachine;
    this.command = command;
    this.arguments = arguments;
    this.options = options;
    this.candidates = candidates;
    this.terminal = terminal;
    out = terminal.out();
    style = new Style(terminal.colours());
    progress = new Progress(terminal);
    pace = options.pace();
    kernels = options.kernels(candidates);
    options.checkJson();
  }

  /**
   * Measures, prints, and returns the exit code: 0, or 1 if a result was wrong or work failed.
   *
   * @param others that take part, for the report
   */
  int run(List<Plan> plans, List<BenchReport.Library> others) throws IOException {
    Instant started = Instant.now();
    List<Integer> threads = options.threadCounts();
    HostInfo host = HostReader.read();
    Double loadAtStart = HostReader.load();
    Double foreignAtStart = foreignLoad();
    Banner banner = new Banner(out, style, terminal.width());
    banner.host(command, host, kernels, candidates);

    List<Team> teams = new ArrayList<>();
    try (Limits limits =
        measuresMachine ? Limits.find(available(), options.quick) : Limits.none()) {
      for (int count : threads) {
        teams.add(new Team(count));
      }
      LimitLog log = new LimitLog(limits, teams, options.quick);
      progress.show(0, plans.size(), "measuring the machine's limits");
      log.measureStart();
      progress.erase();
      banner.limits(log.rows());
      warnForeignLoad(foreignAtStart, "at the start");

      ResultTable table = new ResultTable(out, style, terminal.width());
      Contestants contestants = new Contestants(kernels, List.copyOf(teams), limits);
      for (int i = 0; i < plans.size(); i++) {
        runPlan(plans.get(i), contestants, i, plans.size(), table, log);
      }
      progress.show(plans.size(), plans.size(), "measuring the machine's limits again");
      log.measureEnd();
      progress.erase();
      warnings.addAll(log.drift());

      Double foreignAtEnd = foreignLoad();
      warnForeignLoad(foreignAtEnd, "at the end");
      List<Comparison> comparisons = Comparison.of(rows);
      new Summary(out, style, terminal.width()).print(rows, comparisons);
      for (String warning : warnings) {
        Texts.wrap("Note: " + warning, terminal.width())
            .forEach(line -> out.println(style.warning(line)));
      }
      int exitCode = failed ? 1 : 0;
      Path json = options.json;
      if (json != null) {
        BenchReport report =
            new BenchReport(
                BenchReport.SCHEMA,
                BenchReport.SCHEMA_VERSION,
                command,
                arguments.stream().map(HomeFolder::shortened).toList(),
                started.truncatedTo(ChronoUnit.SECONDS).toString(),
                started.until(Instant.now(), ChronoUnit.MILLIS) / 1e3,
                exitCode,
                settings(threads),
                host,
                new BenchReport.Load(loadAtStart, HostReader.load(), foreignAtStart, foreignAtEnd),
                backends(),
                libraries(limits, others),
                log.rows(),
                rows,
                comparisons,
                warnings);
        JsonReport.write(report, json);
        out.println("Written: " + json);
      }
      out.flush();
      return exitCode;
    } finally {
      progress.erase();
      teams.forEach(Team::close);
    }
  }

  private void runPlan(
      Plan plan, Contestants contestants, int index, int total, ResultTable table, LimitLog log) {
    progress.show(index, total, plan.title() + ": preparing data");
    Workload made;
    try {
      made = plan.workload().apply(contestants);
    } catch (RuntimeException | OutOfMemoryError e) {
      progress.erase();
      error(plan.title() + ": " + (e.getMessage() == null ? e : e.getMessage()), e);
      failed = true;
      return;
    }
    try (Workload workload = made) {
      Interleaver interleaver =
          new Interleaver(
              pace,
              (trial, step) ->
                  progress.show(
                      index,
                      total,
                      plan.title()
                          + ": "
                          + step
                          + ", "
                          + trial.variant()
                          + " ×"
                          + trial.threads()));
      List<Outcome> outcomes = interleaver.run(workload.trials());
      List<BenchReport.ResultRow> more = Rows.of(workload, outcomes);
      log.during(workload, outcomes);
      progress.erase();
      table.print(
          more.stream().filter(row -> !row.work().equals(ProfileTable.WORK)).toList(),
          workload.note());
      new ProfileTable(out, style).print(more);
      rows.addAll(more);
      for (Outcome outcome : outcomes) {
        if (outcome.isError()) {
          report(plan, outcome);
        }
      }
    }
  }

  private void report(Plan plan, Outcome outcome) {
    // A limit or a rival that fails is a row, but no fault of this library.
    failed |= outcome.trial().role().isOwn();
    String kind = outcome.status() == Outcome.Status.WRONG ? "wrong result" : "failed";
    String who = outcome.trial().variant() + " ×" + outcome.trial().threads();
    error(plan.title() + ", " + who + ": " + kind + ": " + outcome.message(), outcome.failure());
  }

  private void error(String message, @Nullable Throwable failure) {
    terminal.err().println("error: " + message);
    if (options.verbose && failure != null) {
      failure.printStackTrace(terminal.err());
    }
    terminal.err().flush();
  }

  private @Nullable Double foreignLoad() {
    return measuresMachine ? HostReader.foreignLoad(WATCH_MILLIS) : null;
  }

  private void warnForeignLoad(@Nullable Double foreign, String when) {
    if (foreign != null && foreign > FOREIGN_LOAD) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "other processes kept %.1f processors busy %s; figures are lower for it",
              foreign,
              when));
    }
  }

  private List<Kernels> available() {
    List<Kernels> available = new ArrayList<>();
    for (Candidate candidate : candidates) {
      Kernels one = candidate.kernels();
      if (one != null) {
        available.add(one);
      }
    }
    return available;
  }

  private BenchReport.Settings settings(List<Integer> threads) {
    return new BenchReport.Settings(
        threads,
        pace.rounds(),
        pace.sliceNanos() / 1e9,
        pace.warmUpNanos() / 1e9,
        pace.capNanos() / 1e9,
        options.quick);
  }

  private List<BenchReport.BackendInfo> backends() {
    return candidates.stream()
        .map(
            one ->
                new BenchReport.BackendInfo(
                    one.name(),
                    one.kernels() != null,
                    kernels.stream().anyMatch(chosen -> chosen == one.kernels()),
                    HomeFolder.shortened(one.detail())))
        .toList();
  }

  private List<BenchReport.Library> libraries(Limits limits, List<BenchReport.Library> others) {
    List<BenchReport.Library> all = new ArrayList<>();
    for (BenchReport.Library other : others) {
      all.add(new BenchReport.Library(other.name(), HomeFolder.shortened(other.detail())));
    }
    all.add(new BenchReport.Library("OpenBLAS", HomeFolder.shortened(OpenBlas.detail())));
    all.add(new BenchReport.Library("OpenBLAS core", OpenBlas.coreName()));
    all.add(new BenchReport.Library("limits", limits.detail()));
    return all;
  }
}
