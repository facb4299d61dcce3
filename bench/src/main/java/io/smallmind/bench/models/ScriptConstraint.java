package io.smallmind.bench.models;

import io.smallmind.sampling.Constraint;
import io.smallmind.sampling.TokenConstraint;
import io.smallmind.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * Allows a single text: random weights would write none of interest. Costs as much with guesses as
 * without.
 */
final class ScriptConstraint implements Constraint {
  private final int[] script;

  ScriptConstraint(int[] script) {
    this.script = script;
  }

  @Override
  public TokenConstraint begin(Tokenizer tokenizer) {
    return new State();
  }

  private final class State implements TokenConstraint {
    private int position;

    @Override
    public void mask(float[] scores) {
      float score = scores[script[position]];
      Arrays.fill(scores, Float.NEGATIVE_INFINITY);
      scores[script[position]] = score;
    }

    @Override
    public void accept(int token) {
      position++;
    }

    @Override
    public boolean isComplete() {
      return isFinished();
    }

    @Override
    public boolean isFinished() {
      return position == script.length;
    }
  }
}
