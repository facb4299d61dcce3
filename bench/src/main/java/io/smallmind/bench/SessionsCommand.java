package io.smallmind.bench;

import io.smallmind.bench.models.ModelFile;
import io.smallmind.bench.models.Models;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how many tokens sessions get that generate at the same time. */
@Command(
    name = "sessions",
    description = "Generate in many sessions at once, through the scheduler of common passes.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class SessionsCommand extends MeasuringCommand {
  @Mixin private ModelSource source = new ModelSource();

  @Option(
      names = "--sessions",
      split = ",",
      paramLabel = "N",
      description = "How many generate at once. Default: 1,2,4,8.")
  List<Integer> sessions = List.of(1, 2, 4, 8);

  @Option(
      names = "--generate",
      paramLabel = "N",
      description = "Tokens that each generates. Default: 32, quick 16.")
  @Nullable Integer generate;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description = "Tokens of context before them. Default: 0.")
  int depth;

  @Option(
      names = "--kv",
      paramLabel = "TYPE",
      description = "Type of keys and values: f16, q8_0, f32. Default: f16.")
  String cacheType = "f16";

  @Mixin private BesideOption beside = new BesideOption();

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    int tokens = generate == null ? (options.quick ? 16 : 32) : generate;
    ModelSelection.check(options, "--sessions", sessions, 1);
    ModelSelection.check(options, "--generate", List.of(tokens), 1);
    ModelSelection.check(options, "--depth", List.of(depth), 0);
    int busy = beside.processes(options);
    TensorType cache = ModelSelection.cacheType(options, cacheType);
    options.longCalls();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : source.files(options)) {
      Models work = new Models(file, sessions.size(), cache, 1, List.of()).beside(busy);
      for (int count : sessions) {
        plans.add(
            new BenchRun.Plan(
                file.title() + " " + file.type() + ", sessions: " + count,
                all -> work.sessions(all, tokens, depth, count)));
      }
    }
    return run("sessions", options, plans);
  }
}
