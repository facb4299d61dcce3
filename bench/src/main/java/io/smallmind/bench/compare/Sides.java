package io.smallmind.bench.compare;

import io.smallmind.bench.report.BenchReport;
import java.util.Comparator;
import java.util.List;

/**
 * What is compared: one run of each side, or several whose medians are rounds.
 *
 * @param paired whether the sides took turns: the same place in both is the same moment
 */
public record Sides(BenchReport base, BenchReport head, boolean paired) {
  /** Takes runs of both sides, at least one each, in any order. */
  public static Sides of(List<BenchReport> base, List<BenchReport> head) {
    List<BenchReport> before = inOrder(base);
    List<BenchReport> after = inOrder(head);
    return new Sides(merged(before), merged(after), tookTurns(before, after));
  }

  private static List<BenchReport> inOrder(List<BenchReport> runs) {
    return runs.stream().sorted(Comparator.comparing(BenchReport::startedAt)).toList();
  }

  private static BenchReport merged(List<BenchReport> runs) {
    return runs.size() == 1 ? runs.getFirst() : MergedRuns.of(runs);
  }

  /** Each pair must be over before the next one begins. */
  private static boolean tookTurns(List<BenchReport> base, List<BenchReport> head) {
    if (base.size() != head.size() || base.size() < 2) {
      return false;
    }
    for (int i = 1; i < base.size(); i++) {
      boolean apart =
          later(base.get(i - 1), head.get(i - 1)).compareTo(earlier(base.get(i), head.get(i))) <= 0;
      if (!apart) {
        return false;
      }
    }
    return true;
  }

  private static String later(BenchReport one, BenchReport other) {
    return one.startedAt().compareTo(other.startedAt()) > 0 ? one.startedAt() : other.startedAt();
  }

  private static String earlier(BenchReport one, BenchReport other) {
    return one.startedAt().compareTo(other.startedAt()) < 0 ? one.startedAt() : other.startedAt();
  }
}
