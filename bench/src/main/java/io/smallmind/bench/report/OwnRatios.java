package io.smallmind.bench.report;

import io.smallmind.bench.measure.Condition;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the fastest backend keeps of its speed: in other conditions, of context, prompt, threads.
 */
final class OwnRatios {
  private static final String DEPTH = "depth";
  private static final String TOKENS = "tokens";

  private OwnRatios() {}

  /** Adds every ratio of which both rows are there. */
  static void add(List<BenchReport.ResultRow> rows, List<Comparison> found) {
    for (BenchReport.ResultRow row : rows) {
      if (row.role().equals("variant")) {
        condition(rows, row, found);
      }
    }
    for (BenchReport.ResultRow row : rows) {
      if (row.role().equals("backend")) {
        context(rows, row, found);
        prompt(rows, row, found);
        threads(rows, row, found);
      }
    }
  }

  /** The fastest backend in a condition, against itself without. */
  private static void condition(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow row, List<Comparison> found) {
    String condition = Condition.in(row.variant());
    BenchReport.ResultRow plain = fastest(rows, row);
    if (plain == null
        || !plain.variant().equals(Condition.backend(row.variant()))
        || condition.equals(Condition.WATCHED)) {
      return;
    }
    String what = title(row) + ", " + condition + " ÷ ";
    String label = row.size() + " ×" + row.threads();
    Comparison.add(what + Condition.without(condition), label, row, plain, found);
    for (BenchReport.ResultRow rival : rows) {
      // Others map their files too.
      boolean fromFile =
          (condition.equals(Condition.MAPPED) || condition.equals(Condition.KEPT))
              && rival.role().equals("baseline");
      boolean alike =
          rival.role().equals("baseline_variant")
              && condition.equals(Condition.in(rival.variant()));
      if ((fromFile || alike) && isSameWork(rival, row)) {
        Comparison.add(what + Condition.backend(rival.variant()), label, row, rival, found);
      }
    }
    if (Condition.isQuota(condition) && row.threads() > 1) {
      BenchReport.ResultRow one =
          find(rows, other -> other.threads() == 1 && isAlike(row, other, ""));
      String threads = "×" + row.threads() + " ÷ ×1";
      Comparison.add(title(row) + ", " + condition + ", " + threads, row.size(), row, one, found);
    }
  }

  /** Tokens behind a long context, against those behind none. */
  private static void context(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow row, List<Comparison> found) {
    long depth = length(row, DEPTH);
    if (depth == 0 || !row.work().equals("decode")) {
      return;
    }
    BenchReport.ResultRow empty =
        find(
            rows,
            other ->
                other.threads() == row.threads()
                    && isAlike(row, other, DEPTH)
                    && length(other, DEPTH) == 0);
    if (empty != null && fastest(rows, empty) == empty) {
      String what = ", @" + depth + " ÷ @0";
      Comparison.add(title(row) + what, empty.size() + " ×" + row.threads(), row, empty, found);
    }
  }

  /** A prompt against the longest one: short ones have less to share out. */
  private static void prompt(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow row, List<Comparison> found) {
    if (!row.work().equals("prefill")) {
      return;
    }
    BenchReport.ResultRow longest = row;
    for (BenchReport.ResultRow other : rows) {
      if (other.threads() == row.threads()
          && isAlike(row, other, TOKENS)
          && length(other, TOKENS) > length(longest, TOKENS)) {
        longest = other;
      }
    }
    if (longest != row && fastest(rows, longest) == longest) {
      String what = ", " + length(row, TOKENS) + " ÷ " + length(longest, TOKENS);
      Comparison.add(title(row) + what, "×" + row.threads(), row, longest, found);
    }
  }

  /** Several threads against one, where memory sets the limit. */
  private static void threads(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow row, List<Comparison> found) {
    if (row.threads() == 1 || !(row.work().equals("decode") || row.work().equals("sessions"))) {
      return;
    }
    BenchReport.ResultRow one =
        find(rows, other -> other.threads() == 1 && isAlike(row, other, ""));
    if (one != null && fastest(rows, row) == row) {
      Comparison.add(title(row) + ", ×" + row.threads() + " ÷ ×1", row.size(), row, one, found);
    }
  }

  private static BenchReport.@Nullable ResultRow find(
      List<BenchReport.ResultRow> rows, Predicate<BenchReport.ResultRow> wanted) {
    return rows.stream().filter(wanted).findFirst().orElse(null);
  }

  /** Tells whether it is the same backend at the same work, but for one of its lengths. */
  private static boolean isAlike(
      BenchReport.ResultRow row, BenchReport.ResultRow other, String length) {
    Map<String, Long> mine = new HashMap<>(row.shape());
    Map<String, Long> others = new HashMap<>(other.shape());
    mine.remove(length);
    others.remove(length);
    return row.work().equals(other.work())
        && row.subject().equals(other.subject())
        && row.variant().equals(other.variant())
        && mine.equals(others);
  }

  private static long length(BenchReport.ResultRow row, String name) {
    return row.shape().getOrDefault(name, 0L);
  }

  private static String title(BenchReport.ResultRow row) {
    return row.work() + " " + row.subject();
  }

  private static boolean isSameWork(BenchReport.ResultRow row, BenchReport.ResultRow other) {
    return row.threads() == other.threads()
        && row.work().equals(other.work())
        && row.subject().equals(other.subject())
        && row.shape().equals(other.shape());
  }

  /** Returns the fastest backend at the same work as a row, on as many threads. */
  private static BenchReport.@Nullable ResultRow fastest(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow other) {
    BenchReport.ResultRow best = null;
    for (BenchReport.ResultRow row : rows) {
      if (row.role().equals("backend") && isSameWork(row, other)) {
        best = Comparison.faster(best, row);
      }
    }
    return best;
  }
}
