package io.smallmind.bench;

import io.smallmind.bench.startup.StartupTrial;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Measures how long it takes until a backend is there, and its first results. */
@Command(
    name = "load",
    description =
        "Start fresh processes: unpack and load the native library (cold), or load it (warm), up"
            + " to the first product.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class LoadCommand extends MeasuringCommand {
  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    options.longCalls();
    List<BenchRun.Plan> plans =
        StartupTrial.cases().stream()
            .map(part -> new BenchRun.Plan(part.title(), part.workload()))
            .toList();
    return run("load", options, plans);
  }
}
