package io.smallmind.app;

import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model to run, and how its weights are held. */
final class ModelOption {
  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "FILE",
      description = "The model, a GGUF file.")
  private Path path = Path.of("");

  @Option(
      names = "--no-pack",
      description =
          "Multiply the file's own pages: slower, but for models near the size of the memory.")
  private boolean noPack;

  @Option(
      names = "--keep-packed",
      description =
          "Keep packed weights in a file beside the model, and map it the next time: loads faster.")
  private boolean keepPacked;

  @Option(
      names = "--lora",
      paramLabel = "FILE",
      description = "A LoRA adapter for the model, a GGUF file.")
  private @Nullable Path adapter;

  @Option(
      names = "--lora-scale",
      paramLabel = "X",
      description = "How much of the adapter to add. Default: 1, all.")
  private @Nullable Double adapterStrength;

  Path path() {
    return path;
  }

  LanguageModel load(AppCommand command) {
    if (adapterStrength != null && adapter == null) {
      throw command.usage("--lora-scale needs --lora");
    }
    if (keepPacked && noPack) {
      throw command.usage("--keep-packed and --no-pack exclude each other");
    }
    try (Progress progress = new Progress(command.console())) {
      return LanguageModel.load(
          path,
          ModelOptions.defaults()
              .withBackend(command.backend())
              .withThreads(command.threads())
              .withPack(!noPack)
              .withKeepPacked(keepPacked)
              .withAdapter(adapter, adapterStrength == null ? 1 : adapterStrength)
              .withProgress(progress.listener()));
    }
  }
}
