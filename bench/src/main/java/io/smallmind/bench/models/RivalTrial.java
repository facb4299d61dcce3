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
import org.jspecify.annotations.Nullable;

/** Another engine that reads the same prompt or generates behind the same context. */
final class RivalTrial extends Trial {
  /** How many scores are compared. */
  private static final int SCORES = 256;

  /** How long threads of other engines spin after their work, in milliseconds. */
  private static final long SPIN_MILLIS = 200;

  private final ModelRival rival;
  private final LoadedModels models;
  private final Team team;
  private final ModelTrial.Pass pass;
  private final boolean decode;
  private final int[] tokens;
  private @Nullable ModelEngine engine;

  RivalTrial(
      ModelRival rival, LoadedModels models, Team team, ModelTrial.Pass pass, boolean decode) {
    super(rival.name(), Role.BASELINE, team.size());
    this.rival = rival;
    this.models = models;
    this.team = team;
    this.pass = pass;
    this.decode = decode;
    tokens = Prompts.tokens(pass.tokens(), models.file().config().vocabularySize());
  }

  @Override
  public String unavailable() {
    String missing = rival.missing();
    return missing.isEmpty() ? rival.refuses(models.file().type()) : missing;
  }

  private ModelEngine engine() throws IOException {
    ModelEngine running = engine;
    if (running == null) {
      running =
          rival.open(
              new ModelRival.Setup(
                  models.file().path(),
                  threads(),
                  pass.sessions(),
                  pass.capacity(),
                  pass.batchRows(),
                  pass.cacheType().name()));
      engine = running;
    }
    return running;
  }

  @Override
  public Verdict verify() {
    try {
      LogitsReference reference = models.reference(team);
      int count = Math.min(SCORES, models.file().config().vocabularySize());
      return reference.checkRival(engine().scores(reference.prompt(), count));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    } finally {
      end();
    }
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    try {
      ModelEngine running = engine();
      long[] times =
          decode ? running.decode(tokens, pass.depth()) : running.prefill(tokens, pass.depth());
      // The first steps warm the caches, as those of ours do.
      for (int i = times.length > 1 ? 1 : 0; i < times.length; i++) {
        nanos.accept(times[i]);
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public void call() {
    throw new IllegalStateException("a rival times itself");
  }

  /** Lets its threads fall asleep. */
  @Override
  public void end() {
    try {
      Thread.sleep(SPIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (engine != null) {
      engine.close();
      engine = null;
    }
  }
}
