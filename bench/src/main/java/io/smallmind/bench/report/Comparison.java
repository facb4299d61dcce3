package io.smallmind.bench.report;

import io.smallmind.bench.work.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A ratio of two rates that a person would ask for.
 *
 * @param name of the question
 * @param label at which size and number of threads
 * @param numerator id of a row; the denominator likewise
 * @param seconds by how much a call of the numerator takes longer; null where that is not asked
 */
public record Comparison(
    String name,
    String label,
    String numerator,
    String denominator,
    double ratio,
    @Nullable Double seconds) {

  /** The baseline of matmuls that runs in the bench's own process. */
  private static final String BLAS = "OpenBLAS from C";

  /** Returns every comparison that the rows allow, of the fastest rows on either side. */
  public static List<Comparison> of(List<BenchReport.ResultRow> rows) {
    List<Comparison> found = new ArrayList<>();
    for (int threads : new TreeSet<>(rows.stream().map(BenchReport.ResultRow::threads).toList())) {
      blas(rows, threads, found);
    }
    for (int threads : new TreeSet<>(rows.stream().map(BenchReport.ResultRow::threads).toList())) {
      plainLoops(rows, threads, found);
    }
    int most = rows.stream().mapToInt(BenchReport.ResultRow::threads).max().orElse(1);
    quantized(rows, most, found);
    rivals(rows, found);
    sessions(rows, found);
    OwnRatios.add(rows, found);
    return found;
  }

  /** What many sessions at once get, against one session of the same backend. */
  private static void sessions(List<BenchReport.ResultRow> rows, List<Comparison> found) {
    for (BenchReport.ResultRow many : rows) {
      if (!many.work().equals("sessions")
          || !many.role().equals("backend")
          || many.shape().getOrDefault("sessions", 1L) == 1) {
        continue;
      }
      for (BenchReport.ResultRow one : rows) {
        if (one.work().equals("sessions")
            && one.shape().getOrDefault("sessions", 0L) == 1
            && one.subject().equals(many.subject())
            && one.variant().equals(many.variant())
            && one.threads() == many.threads()) {
          String name = "many sessions ÷ one, " + many.variant() + " ×" + many.threads();
          add(name, many.size(), many, one, found);
        }
      }
    }
  }

  /** Tells whether a row takes part where rivals are compared: all of models, else rivals only. */
  private static boolean isOfRivals(BenchReport.ResultRow row) {
    return row.rateUnit().equals("tok/s")
        || row.work().equals(Workload.FIRST_TOKEN)
        || (isMatmul(row) && !row.variant().equals(BLAS));
  }

  /** Tells whether a row is worth a ratio: in matmuls, backends have their own comparisons. */
  private static boolean isRival(BenchReport.ResultRow row) {
    return row.role().equals("baseline") || (row.role().equals("backend") && !isMatmul(row));
  }

  private static boolean isMatmul(BenchReport.ResultRow row) {
    return row.work().equals("gemm") || row.work().equals("gemv");
  }

  /** The fastest backend against each rival, and in models native against Java. */
  private static void rivals(List<BenchReport.ResultRow> rows, List<Comparison> found) {
    Map<String, List<BenchReport.ResultRow>> cases =
        rows.stream()
            .filter(Comparison::isOfRivals)
            .collect(
                Collectors.groupingBy(
                    row -> row.work() + " " + row.subject() + "/" + row.shape() + row.threads(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    for (List<BenchReport.ResultRow> group : cases.values()) {
      BenchReport.ResultRow ours = null;
      for (BenchReport.ResultRow row : group) {
        ours = row.role().equals("backend") ? faster(ours, row) : ours;
      }
      for (BenchReport.ResultRow row : group) {
        if (row != ours && isRival(row) && !(ours != null && isOfFamily(row, ours))) {
          String name = row.work() + " " + row.subject() + " ÷ " + row.variant();
          add(name, row.size() + " ×" + row.threads(), ours, row, found);
        }
      }
    }
  }

  /** Tells whether both are native backends: the slower one is of no interest then. */
  private static boolean isOfFamily(BenchReport.ResultRow one, BenchReport.ResultRow other) {
    return one.variant().startsWith("native-") && other.variant().startsWith("native-");
  }

  /** F32 through this library against OpenBLAS with its better number of threads. */
  private static void blas(List<BenchReport.ResultRow> rows, int threads, List<Comparison> found) {
    for (String size : sizes(rows, "gemm", "F32")) {
      BenchReport.ResultRow ours = null;
      BenchReport.ResultRow theirs = null;
      for (BenchReport.ResultRow row : rows) {
        if (!row.work().equals("gemm")
            || !row.subject().equals("F32")
            || !row.size().equals(size)) {
          continue;
        }
        if (row.variant().equals(BLAS) && row.threads() <= threads) {
          theirs = faster(theirs, row);
        } else if (row.role().equals("backend") && row.threads() == threads) {
          ours = faster(ours, row);
        }
      }
      add("F32 ÷ OpenBLAS from C, " + threads(threads), size, ours, theirs, found);
    }
  }

  /** Operations against the better of the plain C loops. */
  private static void plainLoops(
      List<BenchReport.ResultRow> rows, int threads, List<Comparison> found) {
    for (String op : Winners.PLAIN_LOOPS) {
      for (String size : sizes(rows, op, op)) {
        BenchReport.ResultRow ours = null;
        BenchReport.ResultRow theirs = null;
        for (BenchReport.ResultRow row : rows) {
          if (!row.work().equals(op) || !row.size().equals(size) || row.threads() != threads) {
            continue;
          }
          if (row.role().equals("baseline")) {
            theirs = faster(theirs, row);
          } else {
            ours = faster(ours, row);
          }
        }
        add(op + " ÷ plain C loop, " + threads(threads), size, ours, theirs, found);
      }
    }
  }

  /** Quantized gemm against F32 of the same size. */
  private static void quantized(
      List<BenchReport.ResultRow> rows, int threads, List<Comparison> found) {
    for (String type : new TreeSet<>(rows.stream().map(BenchReport.ResultRow::subject).toList())) {
      if (type.equals("F32")) {
        continue;
      }
      for (String size : sizes(rows, "gemm", type)) {
        BenchReport.ResultRow ours = null;
        BenchReport.ResultRow f32 = null;
        for (BenchReport.ResultRow row : rows) {
          if (!row.work().equals("gemm")
              || !row.size().equals(size)
              || row.threads() != threads
              || !row.role().equals("backend")) {
            continue;
          }
          if (row.subject().equals(type)) {
            ours = faster(ours, row);
          } else if (row.subject().equals("F32")) {
            f32 = faster(f32, row);
          }
        }
        add(type + " ÷ F32, " + threads(threads), size, ours, f32, found);
      }
    }
  }

  private static String threads(int threads) {
    return threads + (threads == 1 ? " thread" : " threads");
  }

  private static List<String> sizes(List<BenchReport.ResultRow> rows, String work, String subject) {
    return rows.stream()
        .filter(row -> row.work().equals(work) && row.subject().equals(subject))
        .map(BenchReport.ResultRow::size)
        .distinct()
        .toList();
  }

  static BenchReport.@Nullable ResultRow faster(
      BenchReport.@Nullable ResultRow best, BenchReport.ResultRow row) {
    Double rate = row.rate();
    Double bestRate = best == null ? null : best.rate();
    return rate != null && (bestRate == null || rate > bestRate) ? row : best;
  }

  /** Adds the ratio of two rows, if both are there and have figures. */
  static void add(
      String name,
      String label,
      BenchReport.@Nullable ResultRow numerator,
      BenchReport.@Nullable ResultRow denominator,
      List<Comparison> found) {
    if (numerator == null || denominator == null) {
      return;
    }
    Double over = numerator.rate();
    Double under = denominator.rate();
    if (over != null && under != null) {
      boolean waited = numerator.work().equals(Workload.FIRST_TOKEN);
      Double seconds = waited ? Double.valueOf(1 / over - 1 / under) : null;
      found.add(
          new Comparison(name, label, numerator.id(), denominator.id(), over / under, seconds));
    }
  }
}
