package io.smallmind.bench;

import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.rivals.Rival;
import java.util.List;
import java.util.stream.Collectors;

/** Rivals as the option {@code --rivals} names them, and as a report does. */
final class RivalNames {
  private RivalNames() {}

  /** Returns the rivals of these names, in their order. */
  static <R extends Rival> List<R> find(RunOptions options, List<String> names, List<R> known) {
    return names.stream().map(name -> find(options, name.strip(), known)).toList();
  }

  private static <R extends Rival> R find(RunOptions options, String name, List<R> known) {
    return known.stream()
        .filter(rival -> rival.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() -> options.usage(unknown(name, known)));
  }

  private static String unknown(String name, List<? extends Rival> known) {
    return "--rivals: unknown rival '"
        + name
        + "'; known are "
        + known.stream().map(Rival::name).collect(Collectors.joining(", "));
  }

  /** Returns what exactly is measured. */
  static List<BenchReport.Library> libraries(List<? extends Rival> rivals) {
    return rivals.stream()
        .map(rival -> new BenchReport.Library(rival.name(), rival.detail()))
        .toList();
  }
}
