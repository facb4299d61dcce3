package io.smallmind.bench.models;

import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.ModelEngine;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.rivals.RivalTrial;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.util.function.LongConsumer;

/** Another engine that reads the same prompt or generates behind the same context. */
final class RivalModelTrial extends RivalTrial<ModelEngine> {
  /** How many scores are compared. */
  static final int SCORES = 256;

  private final ModelRival rival;
  private final LoadedModels models;
  private final Team team;
  private final ModelTrial.Pass pass;
  private final boolean decode;
  private final int[] tokens;

  RivalModelTrial(
      ModelRival rival, LoadedModels models, Team team, ModelTrial.Pass pass, boolean decode) {
    super(rival, team.size());
    this.rival = rival;
    this.models = models;
    this.team = team;
    this.pass = pass;
    this.decode = decode;
    tokens = Prompts.tokens(pass.tokens(), models.file().config().vocabularySize());
  }

  @Override
  public String unavailable() {
    String missing = super.unavailable();
    return missing.isEmpty() ? rival.refuses(models.file().type()) : missing;
  }

  @Override
  protected ModelEngine open() throws IOException {
    return rival.open(
        new ModelRival.Setup(
            models.file().path(),
            threads(),
            pass.sessions(),
            pass.capacity(),
            pass.batchRows(),
            pass.cacheType().name()));
  }

  @Override
  protected Verdict check(ModelEngine running) throws IOException {
    LogitsReference reference = models.reference(team);
    int count = Math.min(SCORES, models.file().config().vocabularySize());
    return reference.checkRival(running.scores(reference.prompt(), count));
  }

  @Override
  protected void time(ModelEngine running, LongConsumer nanos) throws IOException {
    long[] times =
        decode ? running.decode(tokens, pass.depth()) : running.prefill(tokens, pass.depth());
    // The first steps warm the caches, as those of ours do.
    for (int i = times.length > 1 ? 1 : 0; i < times.length; i++) {
      nanos.accept(times[i]);
    }
  }
}
