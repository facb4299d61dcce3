package io.smallmind.app;

import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Team;
import io.smallmind.tokenizer.Tokenizer;
import io.smallmind.training.Checkpoint;
import io.smallmind.training.LoraConfig;
import io.smallmind.training.NetworkConfig;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import io.smallmind.training.TrainingOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Goes on training a model. */
@Command(
    name = "finetune",
    description = {
      "Trains a model of the llama or gpt2 family further, on other texts.",
      "With --lora, small adapters are trained beside its frozen weights, and merged at the end."
    },
    sortOptions = false)
final class FinetuneCommand extends TrainingCommand {
  private static final double USUAL_RATE = 1e-4;
  private static final double USUAL_LORA_RATE = 1e-3;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description = "The model to begin with, a GGUF file of any type.")
  private @Nullable Path model;

  @Option(
      names = "--lora",
      paramLabel = "RANK",
      description = "Train adapters of this rank only, such as 8.")
  private @Nullable Integer rank;

  @Option(
      names = "--lora-alpha",
      paramLabel = "X",
      description = "Adapters are scaled by X / RANK. Default: twice the rank.")
  private @Nullable Double alpha;

  @Option(
      names = "--adapter",
      paramLabel = "FILE",
      description = "With --lora: write the adapters as a GGUF file of their own, too.")
  private @Nullable Path adapter;

  FinetuneCommand(Main main) {
    super(main);
  }

  @Override
  @Nullable String beginning() {
    if (model != null) {
      return "--model";
    }
    return rank != null ? "--lora" : alpha != null ? "--lora-alpha" : null;
  }

  @Override
  void check(Trainer trainer) {
    if (adapter != null && !trainer.trainsAdapters()) {
      throw usage("--adapter needs --lora");
    }
  }

  @Override
  void exported(Trainer trainer) {
    if (adapter != null) {
      trainer.exportAdapter(adapter);
    }
  }

  @Override
  Trainer begin(TrainingOption given, Team team) {
    if (model == null) {
      throw usage("name the model to begin with: --model FILE");
    }
    if (alpha != null && rank == null) {
      throw usage("--lora-alpha needs --lora");
    }
    LoraConfig lora =
        rank == null ? null : new LoraConfig(rank, alpha == null ? 2.0 * rank : alpha);
    try (GgufFile file = GgufFile.open(model)) {
      NetworkConfig config = NetworkConfig.of(file);
      TrainingOptions usual =
          TrainingOptions.builder()
              .context(Math.min(256, config.context()))
              .learningRate(lora == null ? USUAL_RATE : USUAL_LORA_RATE)
              .build();
      TokenData data = tokens(Tokenizer.of(file.metadata()));
      try {
        Trainer trainer =
            new Trainer(
                config,
                given.apply(usual),
                Checkpoint.entries(file.metadata()),
                lora,
                data,
                kernels(),
                team);
        trainer.load(file);
        return trainer;
      } catch (Throwable e) {
        data.close();
        throw e;
      }
    }
  }
}
