package io.smallmind.bench;

import io.smallmind.bench.models.FirstToken;
import io.smallmind.bench.models.ModelFile;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.rivals.RivalSettings;
import io.smallmind.bench.rivals.Rivals;
import io.smallmind.bench.startup.StartupTrial;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how long it takes until a backend is there, and its first results. */
@Command(
    name = "load",
    description = {
      "Start fresh processes: unpack and load the native library (cold), or load it (warm), up to",
      "the first product, on one thread; or, with --shape or --model, load a model, up to its first",
      "token, on each number of threads."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class LoadCommand extends MeasuringCommand {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Mixin private ModelSource source = new ModelSource();

  @Option(
      names = "--rivals",
      split = ",",
      paramLabel = "NAME",
      description =
          "Engines to load the models with too, of those that tell how long it takes: llama.cpp.")
  List<String> names = List.of();

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    options.longCalls();
    if (source.areWanted()) {
      List<ModelRival> rivals = rivals();
      return run("load", options, firstTokens(rivals), RivalNames.libraries(rivals));
    }
    for (String option : List.of("--rivals", "--types", "--cache")) {
      if (options.isSaid(option)) {
        throw options.usage(option + " is of models; name one by --shape or --model");
      }
    }
    List<BenchRun.Plan> plans =
        StartupTrial.cases().stream()
            .map(part -> new BenchRun.Plan(part.title(), part.workload()))
            .toList();
    return run("load", options, plans);
  }

  private List<BenchRun.Plan> firstTokens(List<ModelRival> rivals) throws IOException {
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : source.files(options)) {
      plans.add(
          new BenchRun.Plan(
              file.title() + " " + file.type() + ", first token",
              all -> FirstToken.workload(all, file, rivals)));
    }
    return plans;
  }

  private List<ModelRival> rivals() {
    List<ModelRival> known =
        Rivals.all(new RivalSettings(source.folder().resolve("rivals"), PATIENCE)).stream()
            .filter(ModelRival.class::isInstance)
            .map(ModelRival.class::cast)
            .filter(ModelRival::tellsLoading)
            .toList();
    return RivalNames.find(options, names, known);
  }
}
