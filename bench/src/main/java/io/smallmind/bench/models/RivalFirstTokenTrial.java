package io.smallmind.bench.models;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.ModelEngine;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.LongConsumer;

/**
 * Another engine in a fresh process: what it says that it loaded for, and read the prompt. What its
 * process took to start before, which may be another language's, is not counted.
 */
final class RivalFirstTokenTrial extends Trial {
  private final ModelRival rival;
  private final LoadedModels models;
  private final Team team;
  private final int[] prompt;

  RivalFirstTokenTrial(ModelRival rival, LoadedModels models, Team team) {
    super(rival.name(), Role.BASELINE, team.size());
    this.rival = rival;
    this.models = models;
    this.team = team;
    prompt = Prompts.tokens(FirstToken.PROMPT, models.file().config().vocabularySize());
  }

  @Override
  public String unavailable() {
    String missing = rival.missing();
    return missing.isEmpty() ? rival.refuses(models.file().type()) : missing;
  }

  private ModelEngine open() throws IOException {
    return rival.open(
        new ModelRival.Setup(
            models.file().path(), threads(), 1, FirstToken.PROMPT + 1, FirstToken.PROMPT, "F16"));
  }

  @Override
  public Verdict verify() {
    LogitsReference reference = models.reference(team);
    int count = Math.min(RivalModelTrial.SCORES, models.file().config().vocabularySize());
    try (ModelEngine engine = open()) {
      return reference.checkRival(engine.scores(reference.prompt(), count));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public double estimateNanos() {
    return run();
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    nanos.accept(run());
    return true;
  }

  private long run() {
    try (ModelEngine engine = open()) {
      if (engine.loadNanos() == 0) {
        throw new IOException("it does not tell how long it loaded");
      }
      return engine.loadNanos() + engine.prefill(prompt, 0)[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public void call() {
    throw new IllegalStateException("a rival times itself");
  }
}
