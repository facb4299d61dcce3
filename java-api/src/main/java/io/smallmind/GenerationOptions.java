package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.sampling.Constraint;
import io.smallmind.sampling.SamplingOptions;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a text is generated. Immutable and thread-safe; made by {@link #builder()}.
 *
 * @param sampling how each token is chosen
 * @param maxTokens most tokens to generate
 * @param stops texts that end the generation where they would appear; they are not part of it
 * @param parseSpecial whether the text of special tokens in a prompt means these tokens; never use
 *     it on text that you don't trust
 * @param ignoreEnd go on when the model would end its turn; the end of a constrained text stays
 * @param logProbabilities how many alternatives to report with each token's log-probability; −1 to
 *     report nothing
 * @param draftTokens most tokens to guess ahead by looking for the last words in the context
 *     (Saxena 2023), 0 for none. The model confirms each, so that the text is the same; but more
 *     than 7 guesses on {@code vector} are summed in another order than one row, which can tip the
 *     choice between tokens that are equally likely up to rounding
 * @param constraint what the text must conform to, or null for nothing. The text ends where nothing
 *     else may follow; a stop string or the most tokens may end it before it is complete
 */
public record GenerationOptions(
    SamplingOptions sampling,
    int maxTokens,
    List<String> stops,
    boolean parseSpecial,
    boolean ignoreEnd,
    int logProbabilities,
    int draftTokens,
    @Nullable Constraint constraint) {

  /** Checks the ranges. */
  public GenerationOptions {
    stops = List.copyOf(stops);
    if (maxTokens < 0) {
      throw new BadArgumentException("maxTokens = " + maxTokens + ": choose 0 or more");
    }
    if (logProbabilities < -1 || logProbabilities > 100) {
      throw new BadArgumentException(
          "logProbabilities = " + logProbabilities + ": choose −1 to 100");
    }
    if (draftTokens < 0 || draftTokens > Session.MAX_DRAFT) {
      throw new BadArgumentException(
          "draftTokens = " + draftTokens + ": choose 0 to " + Session.MAX_DRAFT);
    }
    if (stops.stream().anyMatch(String::isEmpty)) {
      throw new BadArgumentException("a stop string is empty; leave it out");
    }
  }

  /** Returns the usual options: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, 256 tokens. */
  public static GenerationOptions defaults() {
    return builder().build();
  }

  /** Returns options that take the best token each time, for at most so many tokens. */
  public static GenerationOptions greedy(int maxTokens) {
    return builder().temperature(0).maxTokens(maxTokens).build();
  }

  /** Returns a builder with the usual options. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; every method returns the builder itself. Not thread-safe. */
  public static final class Builder {
    private float temperature = 0.8f;
    private int topK = 40;
    private float topP = 0.95f;
    private float minP = 0.05f;
    private float typicalP = 1;
    private float repetitionPenalty = 1;
    private float frequencyPenalty;
    private float presencePenalty;
    private int penaltyWindow = 64;
    private Map<Integer, Float> logitBias = Map.of();
    private @Nullable Long seed;
    private int maxTokens = 256;
    private List<String> stops = List.of();
    private boolean parseSpecial;
    private boolean ignoreEnd;
    private int logProbabilities = -1;
    private int draftTokens;
    private @Nullable Constraint constraint;

    private Builder() {}

    /** Sets what scores are divided by; 0 takes the best token each time. */
    public Builder temperature(double value) {
      temperature = (float) value;
      return this;
    }

    /** Draws from the best so many tokens only; 0 for all. */
    public Builder topK(int value) {
      topK = value;
      return this;
    }

    /** Draws from the most probable tokens up to this sum of probabilities; 1 for all. */
    public Builder topP(double value) {
      topP = (float) value;
      return this;
    }

    /** Draws from tokens at least this fraction as probable as the best; 0 for all. */
    public Builder minP(double value) {
      minP = (float) value;
      return this;
    }

    /** Draws from tokens of typical surprise up to this sum of probabilities; 1 for all. */
    public Builder typicalP(double value) {
      typicalP = (float) value;
      return this;
    }

    /** Divides the scores of recent tokens; 1 for none. */
    public Builder repetitionPenalty(double value) {
      repetitionPenalty = (float) value;
      return this;
    }

    /** Lowers the score of a token for each recent occurrence. */
    public Builder frequencyPenalty(double value) {
      frequencyPenalty = (float) value;
      return this;
    }

    /** Lowers the score of a token that occurred recently. */
    public Builder presencePenalty(double value) {
      presencePenalty = (float) value;
      return this;
    }

    /** Sets how many of the last tokens the penalties see; −1 for all. */
    public Builder penaltyWindow(int value) {
      penaltyWindow = value;
      return this;
    }

    /** Adds to the scores of tokens; −∞ forbids one. */
    public Builder logitBias(Map<Integer, Float> value) {
      logitBias = value;
      return this;
    }

    /** Makes the draws repeatable; without it each generation draws anew. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** Sets the most tokens to generate. */
    public Builder maxTokens(int value) {
      maxTokens = value;
      return this;
    }

    /** Ends the text where one of these would appear. */
    public Builder stops(List<String> value) {
      stops = value;
      return this;
    }

    /** Takes the text of special tokens in a prompt for these tokens; only for trusted text. */
    public Builder parseSpecial(boolean value) {
      parseSpecial = value;
      return this;
    }

    /** Goes on when the model would end its turn. */
    public Builder ignoreEnd(boolean value) {
      ignoreEnd = value;
      return this;
    }

    /** Reports each token's log-probability and so many alternatives; −1 for nothing. */
    public Builder logProbabilities(int value) {
      logProbabilities = value;
      return this;
    }

    /** Guesses so many tokens ahead from the context; 0 for none. */
    public Builder draftTokens(int value) {
      draftTokens = value;
      return this;
    }

    /** Keeps the text within a grammar or schema. */
    public Builder constraint(@Nullable Constraint value) {
      constraint = value;
      return this;
    }

    /**
     * Returns the options.
     *
     * @throws BadArgumentException if one is out of range
     */
    public GenerationOptions build() {
      SamplingOptions sampling =
          new SamplingOptions(
              temperature,
              topK,
              topP,
              minP,
              typicalP,
              repetitionPenalty,
              frequencyPenalty,
              presencePenalty,
              penaltyWindow,
              logitBias,
              seed != null ? seed : System.nanoTime());
      return new GenerationOptions(
          sampling,
          maxTokens,
          stops,
          parseSpecial,
          ignoreEnd,
          logProbabilities,
          draftTokens,
          constraint);
    }
  }
}
