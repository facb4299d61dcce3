package io.smallmind.bench.models;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;

/** Computes one token after another, in each session; a call is one token of each. */
final class DecodeTrial extends ModelTrial {
  private final int[] tokens;

  DecodeTrial(LoadedModels models, Kernels kernels, Team team, Pass pass, String condition) {
    super(models, kernels, team, pass, condition);
    tokens = Prompts.tokens(pass.tokens(), models.file().config().vocabularySize());
  }

  @Override
  int tokensPerCall() {
    return 1;
  }

  @Override
  public int leastCalls() {
    return pass().tokens() - 1; // One more warms the caches.
  }

  /** Tokens get slower as the context grows. */
  @Override
  public int seriesLength() {
    return leastCalls();
  }

  @Override
  public void call() {
    Running all = running();
    int position = all.caches().getFirst().length() - pass().depth();
    if (position == tokens.length) {
      rewind();
      position = 0;
    }
    Batch batch = all.batch();
    batch.clear();
    for (int session = 0; session < all.caches().size(); session++) {
      KvCache cache = all.caches().get(session);
      batch.add(cache, tokens[(position + session) % tokens.length], true);
    }
    all.model().forward(batch);
  }
}
