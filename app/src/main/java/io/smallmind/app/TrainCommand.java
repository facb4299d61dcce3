package io.smallmind.app;

import io.smallmind.convert.ModelShape;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.Team;
import io.smallmind.tokenizer.BytePairTrainer;
import io.smallmind.tokenizer.Tokenizer;
import io.smallmind.training.NetworkConfig;
import io.smallmind.training.TextPieces;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import io.smallmind.training.TrainingOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Trains a network from scratch. */
@Command(
    name = "train",
    description = {
      "Trains a small language model from scratch: its vocabulary, then its weights.",
      "Ctrl-C saves a checkpoint and stops; --resume goes on as if nothing had happened."
    },
    sortOptions = false)
final class TrainCommand extends TrainingCommand {
  private static final String USUAL_PRESET = "smallmind-stories";
  private static final int USUAL_VOCABULARY = 2048;

  @Option(
      names = "--preset",
      paramLabel = "SHAPE",
      description =
          "Sizes of the network: any shape of llama or gpt2 that synth --list names. Default: "
              + USUAL_PRESET
              + ".")
  private @Nullable String preset;

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      description = "Number of tokens to learn from the text. Default: " + USUAL_VOCABULARY + ".")
  private @Nullable Integer vocabulary;

  TrainCommand(Main main) {
    super(main);
  }

  @Override
  @Nullable String beginning() {
    if (preset != null) {
      return "--preset";
    }
    return vocabulary != null ? "--vocabulary" : null;
  }

  @Override
  Trainer begin(TrainingOption given, Team team) {
    ModelShape shape = ModelShape.byName(preset == null ? USUAL_PRESET : preset);
    int tokens = vocabulary == null ? USUAL_VOCABULARY : vocabulary;
    TrainingOptions usual = TrainingOptions.builder().build();
    TrainingOptions options =
        given.apply(usual.toBuilder().context(Math.min(usual.context(), shape.context())).build());
    BytePairTrainer words = new BytePairTrainer();
    TextPieces.forEach(texts(), words::add);
    Map<String, GgufValue> entries = words.train(tokens);
    NetworkConfig config = NetworkConfig.of(shape, tokens, options.context());
    TokenData data = tokens(tokenizer(entries));
    try {
      return new Trainer(config, options, entries, null, data, kernels(), team);
    } catch (Throwable e) {
      data.close();
      throw e;
    }
  }

  /** Tokenizers are read from model files, so the vocabulary becomes one for a moment. */
  private static Tokenizer tokenizer(Map<String, GgufValue> entries) {
    try {
      Path file = Files.createTempFile("smallmind-vocabulary", ".gguf");
      try {
        GgufWriter writer = new GgufWriter();
        entries.forEach(writer::put);
        writer.write(file);
        try (GgufFile gguf = GgufFile.open(file)) {
          return Tokenizer.of(gguf.metadata());
        }
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
