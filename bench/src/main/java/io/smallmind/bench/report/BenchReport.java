package io.smallmind.bench.report;

import io.smallmind.bench.host.HostInfo;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Statistics;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything one run of the bench found out, as it is written to JSON. The schema beside this
 * class' resources, {@code schema-2.json}, describes every field; whoever changes a record here
 * changes it there, and raises the version unless something was only added.
 */
public record BenchReport(
    String schema,
    int schemaVersion,
    String command,
    List<String> arguments,
    String startedAt,
    double seconds,
    int exitCode,
    Settings settings,
    HostInfo host,
    Load load,
    List<BackendInfo> backends,
    List<Library> libraries,
    List<LimitRow> limits,
    List<ResultRow> results,
    List<Comparison> comparisons,
    List<String> warnings) {

  /** Returns this report with other results, and another load of the machine. */
  public BenchReport with(List<ResultRow> rows, Load other) {
    return new BenchReport(
        schema,
        schemaVersion,
        command,
        arguments,
        startedAt,
        seconds,
        exitCode,
        settings,
        host,
        other,
        backends,
        libraries,
        limits,
        rows,
        Comparison.of(rows),
        warnings);
  }

  /** Names the format. */
  public static final String SCHEMA = "smallmind-bench";

  /** Version of the format. */
  public static final int SCHEMA_VERSION = 2;

  /**
   * How it was measured.
   *
   * @param threads numbers of threads
   */
  public record Settings(
      List<Integer> threads,
      int rounds,
      double sliceSeconds,
      double warmUpSeconds,
      double capSeconds,
      boolean quick) {}

  /** How busy the machine was: load averages, and processors that others kept busy. */
  public record Load(
      @Nullable Double start,
      @Nullable Double end,
      @Nullable Double foreignStart,
      @Nullable Double foreignEnd) {}

  /**
   * A backend of the registry.
   *
   * @param chosen whether this run measured it
   * @param detail what it runs on, or why it is not available
   */
  public record BackendInfo(String name, boolean available, boolean chosen, String detail) {}

  /** A library that took part. */
  public record Library(String name, String detail) {}

  /**
   * A limit of the machine.
   *
   * @param by what measured it
   * @param start rate before the runs
   * @param end rate after them; null if it was not measured again
   * @param during rates in the rounds of each case that was compared to it
   */
  public record LimitRow(
      String kind,
      String unit,
      int threads,
      String by,
      double start,
      @Nullable Double end,
      List<Double> during) {}

  /**
   * A trial.
   *
   * @param id the same in every run: work/subject/shape/variant/threads
   * @param role backend, variant, baseline or baseline_variant
   * @param status ok, wrong, failed or skipped
   * @param message why there are no figures; empty if there are
   * @param verification null if nothing was verified
   * @param nanos time of a call; null without figures, like all that follow
   * @param share of the limit, or of the best baseline where there is no limit, at the same number
   *     of threads, measured in the same rounds
   * @param shareOf names what it is a share of
   * @param reference the rate that share is of
   * @param figures more of them by name; {@code schema-2.json} tells which
   * @param series times of the calls one after another; empty where they are all alike
   */
  public record ResultRow(
      String id,
      String work,
      String subject,
      String size,
      Map<String, Long> shape,
      String variant,
      String role,
      int threads,
      String status,
      String message,
      @Nullable Verification verification,
      double operationsPerCall,
      double bytesPerCall,
      @Nullable Statistics nanos,
      @Nullable Double gflops,
      @Nullable Double gigabytesPerSecond,
      @Nullable Double tokensPerSecond,
      String rateUnit,
      @Nullable Double share,
      String shareOf,
      @Nullable Double reference,
      @Nullable Double heapBytesPerCall,
      @Nullable Long collections,
      Map<String, Double> figures,
      List<Double> series) {

    /** Takes a row from before there were more figures, or series, as one without. */
    public ResultRow {
      series = series == null ? List.of() : series;
      figures = figures == null ? Map.of() : figures;
    }

    /** Returns the rate that matters in this case, in {@link #rateUnit}. */
    public @Nullable Double rate() {
      return switch (rateUnit) {
        case "GB/s" -> gigabytesPerSecond;
        case "calls/s" -> nanos == null ? null : Double.valueOf(1e9 / nanos.median());
        case "tok/s" -> tokensPerSecond;
        default -> gflops;
      };
    }

    /** Returns who did it, for a table where a variant stands behind its backend. */
    String by() {
      return role.endsWith("variant") ? "· " + Condition.in(variant) : variant;
    }

    /** Tells whether there are figures. */
    public boolean isMeasured() {
      return nanos != null;
    }
  }

  /** How many values were compared with the reference, and the worst error ÷ its tolerance. */
  public record Verification(long checked, double worst) {}
}
