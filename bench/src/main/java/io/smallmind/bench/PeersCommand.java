package io.smallmind.bench;

import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.rivals.LlamaBench;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.rivals.NodeLlamaCpp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures this library and others in turn, on the same files. */
@Command(
    name = "peers",
    description = "Run the same models with other engines too, each in its own process.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class PeersCommand extends MeasuringCommand {
  @Option(
      names = "--install",
      description = "Fetch the rivals with their own package managers, then end.")
  boolean install;

  @Option(
      names = "--rivals",
      split = ",",
      paramLabel = "NAME",
      description = "Whom to compare with: llama.cpp. Default: all.")
  List<String> names = List.of(NodeLlamaCpp.NAME);

  @Option(
      names = "--llama-bench",
      paramLabel = "[NAME=]PATH",
      description =
          "And any llama-bench, with more options if need be, such as"
              + " 'ik=/opt/ik/llama-bench -rtr 1'. May come several times.")
  List<String> benches = List.of();

  @Mixin private ModelSelection models = new ModelSelection();

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    List<ModelRival> rivals = rivals(models.folder().resolve("rivals"));
    if (install) {
      for (ModelRival rival : rivals) {
        rival.install(line -> out().println(line));
        out().println(rival.name() + ": " + rival.detail());
      }
      return 0;
    }
    List<BenchReport.Library> libraries =
        rivals.stream()
            .map(rival -> new BenchReport.Library(rival.name(), rival.detail()))
            .toList();
    return run("peers", options, models.plans(options, rivals), libraries);
  }

  private List<ModelRival> rivals(Path folder) {
    List<ModelRival> known = List.of(new NodeLlamaCpp(folder));
    List<ModelRival> rivals = new ArrayList<>();
    for (String name : names) {
      rivals.add(
          known.stream()
              .filter(rival -> rival.name().equals(name.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      options.usage(
                          "--rivals: unknown rival '"
                              + name
                              + "'; known are "
                              + known.stream()
                                  .map(ModelRival::name)
                                  .collect(Collectors.joining(", ")))));
    }
    benches.forEach(spec -> rivals.add(new LlamaBench(spec)));
    return rivals;
  }
}
