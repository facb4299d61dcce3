package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Session;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.SmallMindException;
import io.smallmind.training.Trainer;
import io.smallmind.training.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Tells how a training goes: a line per evaluation, progress in between, samples. */
final class TrainingReport implements TrainingRun.Listener, AutoCloseable {
  private static final int SAMPLE_TOKENS = 60;
  private static final double SMOOTHING = 0.95;

  private final AppCommand command;
  private final Trainer trainer;
  private final int sampleEvery;
  private final String prompt;
  private final boolean silent;
  private final Progress progress;
  private final long begun = System.nanoTime();
  private final long first;
  private double smoothed = Double.NaN;
  private int evaluations;
  private boolean warned;

  TrainingReport(
      AppCommand command, Trainer trainer, int sampleEvery, String prompt, boolean silent) {
    this.command = command;
    this.trainer = trainer;
    this.sampleEvery = sampleEvery;
    this.prompt = prompt;
    this.silent = silent;
    progress = new Progress(command.console());
    first = trainer.done();
  }

  private void print(String text) {
    if (!silent) {
      progress.close();
      command.console().out().println(text);
      command.console().out().flush();
    }
  }

  void begin() {
    print(
        String.format(
            Locale.ROOT,
            "%s weights to train, %s tokens per step, %s per epoch",
            Sizes.count(trainer.parameters()),
            Sizes.count(trainer.tokensPerStep()),
            Sizes.count(trainer.tokensPerEpoch())));
  }

  @Override
  public void step(double loss) {
    smoothed = Double.isNaN(smoothed) ? loss : SMOOTHING * smoothed + (1 - SMOOTHING) * loss;
    String text = String.format(Locale.ROOT, "loss %.3f, %.0f tokens/s", smoothed, speed());
    progress.show(trainer.done() - first, trainer.options().steps() - first, text);
  }

  private double speed() {
    double seconds = (System.nanoTime() - begun) / 1e9;
    return (trainer.done() - first) * trainer.tokensPerStep() / seconds;
  }

  @Override
  public void evaluated(double loss) {
    double left = (trainer.options().steps() - trainer.done()) * trainer.tokensPerStep() / speed();
    print(
        String.format(
            Locale.ROOT,
            "step %d: loss %.4f, validation %.4f, %.0f tokens/s, %.0f min left",
            trainer.done(),
            smoothed,
            loss,
            speed(),
            left / 60));
    if (sampleEvery > 0 && ++evaluations % sampleEvery == 0 && !silent) {
      printSample();
    }
  }

  /** A sample that fails must not cost what was learned. */
  private void printSample() {
    try {
      print("  " + sample().replaceAll("\\s*\\R\\s*", " ⏎ "));
    } catch (IOException | SmallMindException e) {
      if (!warned) {
        warned = true;
        progress.close();
        command.console().err().println("warning: no sample: " + e.getMessage());
        command.console().err().flush();
      }
    }
  }

  /** Lets the network as it is now write something, the way it will be used. */
  private String sample() throws IOException {
    Path file = null;
    try {
      file = Files.createTempFile("smallmind-sample", ".gguf");
      trainer.export(file, QuantizationMix.F32);
      try (LanguageModel model =
              LanguageModel.load(
                  file,
                  ModelOptions.defaults()
                      .withBackend(command.backend())
                      .withThreads(command.threads()));
          Session session = model.newSession()) {
        int tokens = Math.min(SAMPLE_TOKENS, model.config().contextLength() / 2);
        GenerationOptions options =
            GenerationOptions.builder().maxTokens(tokens).seed(trainer.done()).build();
        return prompt + session.generate(prompt, options).text();
      }
    } finally {
      delete(file);
    }
  }

  private static void delete(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // It lies in the folder of temporary files.
    }
  }

  @Override
  public void saved(Path checkpoint) {
    if (command.isVerbose()) {
      print("saved " + checkpoint);
    }
  }

  @Override
  public void close() {
    progress.close();
  }
}
