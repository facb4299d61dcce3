package io.smallmind.bench;

import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Measures whole models: prompts read and tokens generated. */
@Command(
    name = "model",
    description = "Read prompts (prefill) and generate (decode) with whole models.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class ModelCommand extends MeasuringCommand {
  @Mixin private ModelSelection models = new ModelSelection();

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    return run("model", options, models.plans(options, List.of()));
  }
}
