package io.smallmind.bench.report;

import io.smallmind.bench.measure.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What conditions cost the fastest backend. */
final class OwnRatios {
  private OwnRatios() {}

  /** Adds every ratio of which both rows are there. */
  static void add(List<BenchReport.ResultRow> rows, List<Comparison> found) {
    for (BenchReport.ResultRow row : rows) {
      if (row.role().equals("variant")) {
        condition(rows, row, found);
      }
    }
  }

  /** The fastest backend in a condition, against itself without. */
  private static void condition(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow row, List<Comparison> found) {
    String condition = Condition.in(row.variant());
    BenchReport.ResultRow plain = fastest(rows, row);
    if (plain != null
        && plain.variant().equals(Condition.backend(row.variant()))
        && !condition.equals(Condition.WATCHED)) {
      String what = ", " + condition + " ÷ " + Condition.without(condition);
      Comparison.add(title(row) + what, row.size() + " ×" + row.threads(), row, plain, found);
    }
  }

  private static String title(BenchReport.ResultRow row) {
    return row.work() + " " + row.subject();
  }

  /** Returns the fastest backend at the same work as a row, on as many threads. */
  private static BenchReport.@Nullable ResultRow fastest(
      List<BenchReport.ResultRow> rows, BenchReport.ResultRow other) {
    BenchReport.ResultRow best = null;
    for (BenchReport.ResultRow row : rows) {
      if (row.role().equals("backend")
          && row.threads() == other.threads()
          && row.work().equals(other.work())
          && row.subject().equals(other.subject())
          && row.shape().equals(other.shape())) {
        best = Comparison.faster(best, row);
      }
    }
    return best;
  }
}
