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

/** Measures where the time of a token goes. */
@Command(
    name = "profile",
    description = "Watch passes: where the time goes by step and layer, and what watching costs.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class ProfileCommand extends MeasuringCommand {
  @Mixin private ModelSource source = new ModelSource();

  @Option(
      names = "--prompt",
      paramLabel = "N",
      description = "Tokens of a prompt to read; 0 for none. Default: 128.")
  int prompt = 128;

  @Option(
      names = "--generate",
      paramLabel = "N",
      description = "Tokens to generate; 0 for none. Default: 64, quick 32.")
  @Nullable Integer generate;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description = "Tokens of context before those that are generated. Default: 0.")
  int depth;

  @Option(
      names = "--kv",
      paramLabel = "TYPE",
      description = "Type of keys and values: f16, q8_0, f32. Default: f16.")
  String cacheType = "f16";

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Most tokens of a prompt per forward pass. Default: 512.")
  int batch = 512;

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    int tokens = generate == null ? (options.quick ? 32 : 64) : generate;
    ModelSelection.check(options, "--prompt", List.of(prompt), 0);
    ModelSelection.check(options, "--generate", List.of(tokens), 0);
    ModelSelection.check(options, "--depth", List.of(depth), 0);
    ModelSelection.check(options, "--batch", List.of(batch), 1);
    if (prompt == 0 && tokens == 0) {
      throw options.usage("neither --prompt nor --generate leaves anything to do");
    }
    TensorType cache = ModelSelection.cacheType(options, cacheType);
    options.longCalls();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : source.files(options)) {
      int count = (prompt > 0 ? 1 : 0) + (tokens > 0 ? 1 : 0);
      Models work = new Models(file, count, cache, batch, List.of()).profiled();
      String name = file.title() + " " + file.type() + ", profile of ";
      if (tokens > 0) {
        plans.add(new BenchRun.Plan(name + "decode", all -> work.decode(all, tokens, depth, 1)));
      }
      if (prompt > 0) {
        plans.add(new BenchRun.Plan(name + "prefill", all -> work.prefill(all, prompt, 0)));
      }
    }
    return run("profile", options, plans);
  }
}
