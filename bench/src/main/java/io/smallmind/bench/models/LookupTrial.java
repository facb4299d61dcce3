package io.smallmind.bench.models;

import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.SessionOptions;
import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Generates a text that is known before, as anybody would, with guesses ahead or without. */
final class LookupTrial extends Trial {
  /** Tokens whose probabilities are compared. */
  private static final int CHECKED = 48;

  private final Lookup models;
  private final Kernels kernels;
  private final Team team;
  private final LookupText text;
  private final int guesses;
  private @Nullable Session session;
  private GenerationResult.@Nullable Usage usage;

  /**
   * Prepares a trial.
   *
   * @param guesses most tokens ahead; 0 for none
   */
  LookupTrial(Lookup models, Kernels kernels, Team team, LookupText text, int guesses) {
    super(
        Condition.of(kernels.name(), guesses == 0 ? "" : Condition.guessing(guesses)),
        guesses == 0 ? Role.BACKEND : Role.VARIANT,
        team.size());
    this.models = models;
    this.kernels = kernels;
    this.team = team;
    this.text = text;
    this.guesses = guesses;
  }

  private Session session() {
    Session open = session;
    if (open == null) {
      LanguageModel model = models.get(kernels, team);
      int context = text.prompt().length + text.script().length + Lookup.MOST_GUESSES + 1;
      open = model.newSession(SessionOptions.defaults().withContextLength(context));
      session = open;
    }
    return open;
  }

  private GenerationResult generate(int tokens, int ahead, int logProbabilities) {
    GenerationOptions options =
        GenerationOptions.builder()
            .temperature(0)
            .maxTokens(tokens)
            .draftTokens(ahead)
            .logProbabilities(logProbabilities)
            .constraint(new ScriptConstraint(text.script()))
            .build();
    return session().generate(text.prompt(), options, null);
  }

  /** Estimates from a token behind the prompt, which is read before. */
  @Override
  public double estimateNanos() {
    generate(1, 0, -1);
    long begin = System.nanoTime();
    generate(1, 0, -1);
    return (double) (System.nanoTime() - begin) * text.script().length;
  }

  /**
   * Without guesses the model's scores are compared with the scalar backend's; with guesses the
   * text, and the probability of each token, must be those without.
   */
  @Override
  public Verdict verify() {
    if (guesses == 0) {
      return models.check(kernels, team);
    }
    int count = Math.min(CHECKED, text.script().length);
    GenerationResult alone = generate(count, 0, 0);
    GenerationResult guessed = generate(count, guesses, 0);
    Checker tokens = new Checker();
    for (int i = 0; i < count; i++) {
      tokens.check("token " + i, guessed.ids()[i], text.script()[i], 0);
    }
    Verdict same = tokens.verdict();
    if (kernels.name().startsWith("vector")) {
      // More than eight rows are summed in another order than one.
      return same.and(models.compare(probabilities(alone), probabilities(guessed)));
    }
    Checker equal = new Checker();
    for (int i = 0; i < count; i++) {
      String what = "the log-probability of token " + i;
      equal.check(what, probabilities(guessed)[i], probabilities(alone)[i], 0);
    }
    return same.and(equal.verdict());
  }

  private static float[] probabilities(GenerationResult result) {
    float[] values = new float[result.logProbabilities().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = result.logProbabilities().get(i).logProbability();
    }
    return values;
  }

  @Override
  public void call() {
    usage = generate(text.script().length, guesses, -1).usage();
  }

  /** Returns the bytes of the passes that were needed: each confirmed guess saves one. */
  @Override
  public double bytes() {
    GenerationResult.Usage used = usage;
    return used == null
        ? Double.NaN
        : models.bytesPerPass(text) * (used.generatedTokens() - used.acceptedTokens());
  }

  @Override
  public Map<String, Double> figures() {
    GenerationResult.Usage used = usage;
    return used == null
        ? Map.of()
        : Map.of(
            "draftedTokens", (double) used.draftedTokens(),
            "acceptedTokens", (double) used.acceptedTokens());
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
