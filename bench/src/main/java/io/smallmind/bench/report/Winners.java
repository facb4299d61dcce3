package io.smallmind.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Finds rows of others that are faster than every backend at the same work. */
public final class Winners {
  /** What plain C loops compute; beside all else they stand for what memory allows. */
  static final List<String> PLAIN_LOOPS = List.of("add", "relu");

  private static final String LOOP = "C loop";

  private Winners() {}

  /**
   * A row of somebody else's.
   *
   * @param ours the fastest backend at the same work, on as many threads
   */
  public record Win(BenchReport.ResultRow row, BenchReport.ResultRow ours) {
    /** Returns how many times as fast it is. */
    public double ratio() {
      return rate(row) / rate(ours);
    }
  }

  /** Returns all of them, in order. */
  public static List<Win> of(List<BenchReport.ResultRow> rows) {
    List<Win> wins = new ArrayList<>();
    for (BenchReport.ResultRow row : rows) {
      BenchReport.ResultRow ours = isRival(row) ? fastest(row, rows) : null;
      if (ours != null && rate(row) > rate(ours)) {
        wins.add(new Win(row, ours));
      }
    }
    return wins;
  }

  private static boolean isRival(BenchReport.ResultRow row) {
    return row.role().equals("baseline")
        && (!row.variant().startsWith(LOOP) || PLAIN_LOOPS.contains(row.work()));
  }

  private static BenchReport.@Nullable ResultRow fastest(
      BenchReport.ResultRow other, List<BenchReport.ResultRow> rows) {
    BenchReport.ResultRow best = null;
    for (BenchReport.ResultRow row : rows) {
      boolean same =
          row.role().equals("backend")
              && row.threads() == other.threads()
              && row.work().equals(other.work())
              && row.subject().equals(other.subject())
              && Objects.equals(row.shape(), other.shape());
      if (same && rate(row) > 0 && (best == null || rate(row) > rate(best))) {
        best = row;
      }
    }
    return best;
  }

  private static double rate(BenchReport.ResultRow row) {
    Double rate = row.rate();
    return rate == null ? 0 : rate;
  }
}
