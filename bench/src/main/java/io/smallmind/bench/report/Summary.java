package io.smallmind.bench.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a run amounts to, in a few lines. */
public final class Summary {
  private static final double ALLOCATES = 0.5;
  private static final int LONGEST_RATIO_NAME = 50;
  private static final int MOST_HEAP_LINES = 8;

  /** What single kernels are told in. */
  private static final Set<String> KERNEL_UNITS = Set.of("GFLOPS", "GB/s");

  /** Native backends first, scalar last. */
  private static final Comparator<String> BY_FAMILY =
      Comparator.comparing((String name) -> name.startsWith("scalar"))
          .thenComparing(name -> !name.startsWith("native"))
          .thenComparing(Comparator.naturalOrder());

  private final PrintWriter out;
  private final Style style;
  private final int width;

  /**
   * Creates a printer.
   *
   * @param width of the terminal, in characters
   */
  public Summary(PrintWriter out, Style style, int width) {
    this.out = out;
    this.style = style;
    this.width = width;
  }

  /** Prints the summary of all rows. */
  public void print(List<BenchReport.ResultRow> rows, List<Comparison> comparisons) {
    List<BenchReport.ResultRow> kernels =
        rows.stream()
            .filter(row -> KERNEL_UNITS.contains(row.rateUnit()))
            .filter(row -> !row.work().equals("load"))
            .filter(row -> !row.work().equals(ProfileTable.WORK))
            .toList();
    for (int threads :
        new TreeSet<>(kernels.stream().map(BenchReport.ResultRow::threads).toList())) {
      best(kernels.stream().filter(row -> row.threads() == threads).toList(), threads);
    }
    bySize(kernels);
    new ModelSummary(out, style).print(rows);
    comparisons(comparisons);
    heap(rows);
    out.flush();
  }

  private void title(String left, String right) {
    out.println();
    String filled = right.isEmpty() ? "" : Texts.right(right, width - left.length());
    out.println(style.bold(left) + style.dim(filled));
  }

  /** Prints the fastest backend of each subject at its largest size, and what the others reach. */
  private void best(List<BenchReport.ResultRow> rows, int threads) {
    List<String> lines = new ArrayList<>();
    String families = "";
    for (List<BenchReport.ResultRow> group : groups(rows).values()) {
      String largest = group.getLast().size();
      List<BenchReport.ResultRow> measured =
          group.stream()
              .filter(row -> row.size().equals(largest) && row.isMeasured())
              .filter(row -> row.role().equals("backend"))
              .sorted((a, b) -> Double.compare(rate(b), rate(a)))
              .toList();
      if (measured.isEmpty()) {
        continue;
      }
      BenchReport.ResultRow winner = measured.getFirst();
      List<BenchReport.ResultRow> byName =
          measured.stream()
              .sorted(Comparator.comparing(BenchReport.ResultRow::variant, BY_FAMILY))
              .toList();
      String ratios =
          byName.stream()
              .map(row -> Texts.ratio(rate(row) / rate(winner)))
              .collect(Collectors.joining(" : "));
      families = byName.size() < 2 ? families : shortNames(byName);
      lines.add(
          Texts.left(name(winner), 11)
              + " "
              + Texts.left(largest, 11)
              + " "
              + style.good(Texts.left(winner.variant(), 17))
              + Texts.right(Texts.rate(rate(winner)), 8)
              + " "
              + Texts.left(winner.rateUnit(), 7)
              + style.dim(Texts.cut(byName.size() < 2 ? "" : ratios, width - 59)));
    }
    if (!lines.isEmpty()) {
      title("Fastest with " + threads + (threads == 1 ? " thread" : " threads"), families);
      lines.forEach(line -> out.println("  " + line));
    }
  }

  /** Returns the families of backends in the order of their ratios. */
  private static String shortNames(List<BenchReport.ResultRow> rows) {
    return rows.stream()
        .map(row -> row.variant().replaceFirst("^native-.*", "native"))
        .collect(Collectors.joining(" : "));
  }

  /** Prints how the fastest backend's rate goes with the size, at the most threads. */
  private void bySize(List<BenchReport.ResultRow> rows) {
    int most = rows.stream().mapToInt(BenchReport.ResultRow::threads).max().orElse(1);
    List<String> lines = new ArrayList<>();
    for (List<BenchReport.ResultRow> group : groups(rows).values()) {
      if (!group.getFirst().work().equals("gemm")) {
        continue;
      }
      Map<String, Double> bestBySize = new LinkedHashMap<>();
      for (BenchReport.ResultRow row : group) {
        if (row.isMeasured() && row.role().equals("backend") && row.threads() == most) {
          bestBySize.merge(row.size(), rate(row), Math::max);
        }
      }
      if (bestBySize.size() < 2) {
        continue;
      }
      Collection<Double> rates = bestBySize.values();
      String steps =
          bestBySize.entrySet().stream()
              .map(entry -> entry.getKey() + " " + Texts.rate(entry.getValue()))
              .collect(Collectors.joining(" → "));
      String trend = rises(rates) ? style.good("rises") : style.warning("doesn't rise");
      lines.add(
          Texts.left(name(group.getFirst()), 11)
              + " "
              + Texts.spark(rates)
              + "  "
              + steps
              + "  "
              + trend);
    }
    if (!lines.isEmpty()) {
      title("GFLOPS by size", most + (most == 1 ? " thread" : " threads"));
      lines.forEach(line -> out.println("  " + line));
    }
  }

  /** Tells whether each rate is at least the one before, less what noise may take. */
  static boolean rises(Collection<Double> rates) {
    double before = 0;
    for (double rate : rates) {
      if (rate < before * 0.97) {
        return false;
      }
      before = rate;
    }
    return true;
  }

  private void comparisons(List<Comparison> comparisons) {
    Map<String, List<Comparison>> byName =
        comparisons.stream()
            .collect(
                Collectors.groupingBy(Comparison::name, LinkedHashMap::new, Collectors.toList()));
    if (byName.isEmpty()) {
      return;
    }
    title("Ratios", "");
    int longest = byName.keySet().stream().mapToInt(String::length).max().orElse(0);
    int names = Math.min(LONGEST_RATIO_NAME, longest + 1);
    byName.forEach(
        (name, list) -> {
          String label = Texts.left(name, names - 1) + " ";
          int column = names;
          StringBuilder line = new StringBuilder("  " + label);
          for (Comparison one : list) {
            Double seconds = one.seconds();
            String ratio =
                Texts.ratio(one.ratio())
                    + (seconds == null ? "" : String.format(Locale.ROOT, " (%+.2f s)", seconds));
            int length = one.label().length() + ratio.length() + 3;
            if (column > names && column + length + 2 > width) {
              out.println(line.toString().stripTrailing());
              line = new StringBuilder(" ".repeat(names + 2));
              column = names;
            }
            line.append(one.label()).append(' ').append(style.bold(ratio)).append("  ");
            column += length;
          }
          out.println(line.toString().stripTrailing());
        });
  }

  private void heap(List<BenchReport.ResultRow> rows) {
    List<BenchReport.ResultRow> measured =
        rows.stream().filter(row -> row.heapBytesPerCall() != null).toList();
    if (measured.isEmpty()) {
      return;
    }
    Predicate<BenchReport.ResultRow> allocates = row -> heapBytes(row) > ALLOCATES;
    List<BenchReport.ResultRow> allocating = measured.stream().filter(allocates).toList();
    long collections = measured.stream().mapToLong(Summary::collections).sum();
    out.println();
    if (allocating.isEmpty()) {
      out.println("Heap: 0 bytes per call in all " + measured.size() + " rows.");
    }
    for (BenchReport.ResultRow row : allocating.stream().limit(MOST_HEAP_LINES).toList()) {
      String line = "Heap: " + Texts.bytes(heapBytes(row)) + " per call: " + row.id();
      out.println(style.warning(Texts.cut(line, width)));
    }
    if (allocating.size() > MOST_HEAP_LINES) {
      int more = allocating.size() - MOST_HEAP_LINES;
      out.println(style.warning("Heap: and " + more + " rows more that allocate"));
    }
    if (collections > 0) {
      out.println(style.warning("Garbage collections while measuring: " + collections));
    }
  }

  private static double heapBytes(BenchReport.ResultRow row) {
    Double bytes = row.heapBytesPerCall();
    return bytes == null ? 0 : bytes;
  }

  private static long collections(BenchReport.ResultRow row) {
    Long count = row.collections();
    return count == null ? 0 : count;
  }

  private static String name(BenchReport.ResultRow row) {
    return row.work().equals(row.subject()) ? row.work() : row.work() + " " + row.subject();
  }

  private static double rate(BenchReport.ResultRow row) {
    @Nullable Double rate = row.rate();
    return rate == null ? 0 : rate;
  }

  private static Map<String, List<BenchReport.ResultRow>> groups(List<BenchReport.ResultRow> rows) {
    return rows.stream()
        .collect(
            Collectors.groupingBy(
                row -> row.work() + "/" + row.subject(), LinkedHashMap::new, Collectors.toList()));
  }
}
