package io.smallmind.training;

import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.tokenizer.BytePairTrainer;
import io.smallmind.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A small language to learn, and networks that fit it. */
final class Texts {
  static final int VOCABULARY = 280;

  private static final List<String> WHO = List.of("the cat", "the dog", "a bird", "my friend");
  private static final List<String> DOES = List.of("sees", "likes", "finds", "follows");

  final Path file;
  final Map<String, GgufValue> entries;

  /** Writes sentences into a folder. */
  Texts(Path folder, int sentences) {
    SplittableRandom random = new SplittableRandom(1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < sentences; i++) {
      text.append(WHO.get(random.nextInt(4)))
          .append(' ')
          .append(DOES.get(random.nextInt(4)))
          .append(' ')
          .append(WHO.get(random.nextInt(4)))
          .append(".\n");
    }
    file = folder.resolve("text.txt");
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    BytePairTrainer trainer = new BytePairTrainer();
    TextPieces.forEach(List.of(file), trainer::add);
    entries = trainer.train(VOCABULARY);
  }

  TokenData data(Path folder) {
    Path vocabulary = folder.resolve("vocabulary.gguf");
    GgufWriter writer = new GgufWriter();
    entries.forEach(writer::put);
    writer.write(vocabulary);
    try (GgufFile gguf = GgufFile.open(vocabulary)) {
      return data(Tokenizer.of(gguf.metadata()));
    }
  }

  TokenData data(Tokenizer tokenizer) {
    return TokenData.encode(List.of(file), tokenizer);
  }

  static NetworkConfig config(Architecture architecture) {
    boolean gpt2 = architecture == Architecture.GPT2;
    return new NetworkConfig(
        architecture, VOCABULARY, 64, 32, 2, 4, gpt2 ? 4 : 2, 8, 64, 10_000, 1e-5f, gpt2);
  }

  static TrainingOptions.Builder options() {
    return TrainingOptions.builder()
        .steps(40)
        .batch(2)
        .context(16)
        .learningRate(3e-3)
        .warmup(5)
        .validation(0.1)
        .evaluateEvery(20);
  }

  Trainer trainer(
      Architecture architecture,
      TrainingOptions options,
      @Nullable LoraConfig lora,
      TokenData data,
      Team team) {
    return new Trainer(
        config(architecture), options, entries, lora, data, KernelRegistry.get().choose(), team);
  }
}
