package io.smallmind.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.bench.measure.Statistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OwnRatiosTest {
  private final List<BenchReport.ResultRow> rows = new ArrayList<>();

  private void row(
      String work, String variant, int threads, long tokens, long depth, double tokensPerSecond) {
    Statistics nanos = new Statistics(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, List.of(1.0));
    String size = tokens + (depth == 0 ? "" : " @" + depth);
    rows.add(
        new BenchReport.ResultRow(
            work + size + variant + threads,
            work,
            "m",
            size,
            Map.of("tokens", tokens, "depth", depth, "sessions", 1L),
            variant,
            role(variant),
            threads,
            "ok",
            "",
            null,
            0,
            0,
            nanos,
            null,
            null,
            tokensPerSecond,
            "tok/s",
            null,
            "",
            null,
            null,
            null,
            Map.of(),
            List.of()));
  }

  private static String role(String variant) {
    String plain = variant.startsWith("rival") ? "baseline" : "backend";
    String varied = variant.startsWith("rival") ? "baseline_variant" : "variant";
    return variant.contains(" ") ? varied : plain;
  }

  private List<String> found() {
    List<Comparison> found = new ArrayList<>();
    OwnRatios.add(rows, found);
    return found.stream()
        .map(one -> String.format(Locale.ROOT, "%s: %s %.2f", one.name(), one.label(), one.ratio()))
        .toList();
  }

  @Test
  void fastestBackendIsComparedWithItself() {
    for (String variant : new String[] {"fast", "slow"}) {
      double speed = variant.equals("fast") ? 100 : 50;
      row("prefill", variant, 2, 128, 0, 9 * speed);
      row("prefill", variant, 2, 512, 0, 10 * speed);
      row("decode", variant, 1, 64, 0, 0.6 * speed);
      row("decode", variant, 2, 64, 0, speed);
      row("decode", variant + " beside 1", 2, 64, 0, 0.7 * speed);
      row("decode", variant + " profiled", 2, 64, 0, 0.99 * speed);
      row("decode", variant, 2, 64, 4096, 0.8 * speed);
    }
    assertEquals(
        List.of(
            "decode m, beside 1 ÷ alone: 64 ×2 0.70",
            "prefill m, 128 ÷ 512: ×2 0.90",
            "decode m, ×2 ÷ ×1: 64 1.67",
            "decode m, @4096 ÷ @0: 64 ×2 0.80"),
        found());
  }

  /** A quota is the same for all: rivals under it, and what another thread brings there. */
  @Test
  void underAQuotaRivalsAreComparedToo() {
    row("prefill", "fast", 1, 512, 0, 500);
    row("prefill", "fast quota 1.5", 1, 512, 0, 500);
    row("prefill", "fast", 2, 512, 0, 1000);
    row("prefill", "fast quota 1.5", 2, 512, 0, 700);
    row("prefill", "rival", 2, 512, 0, 800);
    row("prefill", "rival quota 1.5", 2, 512, 0, 350);
    row("prefill", "rival quota 1.25", 2, 512, 0, 300);
    assertEquals(
        List.of(
            "prefill m, quota 1.5 ÷ alone: 512 ×1 1.00",
            "prefill m, quota 1.5 ÷ alone: 512 ×2 0.70",
            "prefill m, quota 1.5 ÷ rival: 512 ×2 2.00",
            "prefill m, quota 1.5, ×2 ÷ ×1: 512 1.40"),
        found());
  }

  /**
   * The slower backend alone at a size is nobody's ratio, and neither is a row without its pair.
   */
  @Test
  void whatHasNoPairHasNoRatio() {
    row("decode", "fast", 2, 64, 4096, 80);
    row("decode", "fast", 2, 64, 0, 100);
    row("decode", "slow beside 1", 2, 64, 0, 30);
    row("decode", "slow", 2, 64, 0, 40);
    row("decode", "fast", 1, 32, 0, 60);
    row("prefill", "fast", 2, 512, 0, 900);
    row("prefill", "fast", 1, 128, 0, 500);
    assertEquals(List.of("decode m, @4096 ÷ @0: 64 ×2 0.80"), found());
  }
}
