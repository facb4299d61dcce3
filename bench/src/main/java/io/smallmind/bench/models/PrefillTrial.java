package io.smallmind.bench.models;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;

/** Reads a prompt up to the scores behind its last token: the time to the first token. */
final class PrefillTrial extends ModelTrial {
  private final int[] tokens;

  PrefillTrial(LoadedModels models, Kernels kernels, Team team, Pass pass, String condition) {
    super(models, kernels, team, pass, condition);
    tokens = Prompts.tokens(pass.tokens(), models.file().config().vocabularySize());
  }

  @Override
  int tokensPerCall() {
    return pass().tokens();
  }

  @Override
  public void call() {
    rewind();
    Running all = running();
    KvCache cache = all.caches().getFirst();
    Batch batch = all.batch();
    for (int begin = 0; begin < tokens.length; begin += pass().batchRows()) {
      int end = Math.min(tokens.length, begin + pass().batchRows());
      batch.clear();
      for (int i = begin; i < end; i++) {
        batch.add(cache, tokens[i], i == tokens.length - 1);
      }
      all.model().forward(batch);
    }
  }
}
