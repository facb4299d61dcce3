package io.smallmind;

import java.util.List;

/**
 * What a generation gave.
 *
 * @param text what was heard token by token, in one piece; without the stop string
 * @param promptIds tokens of the prompt
 * @param ids tokens that were generated, without the one that ended it
 * @param finishReason why it ended
 * @param usage token counts
 * @param timings how long it took
 * @param logProbabilities of each generated token, where asked for; else empty
 */
public record GenerationResult(
    String text,
    int[] promptIds,
    int[] ids,
    FinishReason finishReason,
    Usage usage,
    Timings timings,
    List<LogProbabilities> logProbabilities) {

  /**
   * Token counts.
   *
   * @param promptTokens tokens of the prompt
   * @param reusedTokens of them, those that the session still remembered
   * @param generatedTokens tokens that were generated
   * @param draftedTokens tokens that were guessed by looking into the context
   * @param acceptedTokens of them, those that the model confirmed
   */
  public record Usage(
      int promptTokens,
      int reusedTokens,
      int generatedTokens,
      int draftedTokens,
      int acceptedTokens) {}

  /**
   * Durations in ns.
   *
   * @param promptNanos from the call to the first token's scores: prompt tokens that were not
   *     reused, divided by it, is the prefill speed
   * @param generationNanos from there to the end
   */
  public record Timings(long promptNanos, long generationNanos) {}

  /**
   * How probable a token was, before sampling options changed anything.
   *
   * @param id the token
   * @param logProbability natural logarithm
   * @param best the most probable tokens, the best first
   */
  public record LogProbabilities(int id, float logProbability, List<Alternative> best) {}

  /**
   * A token that could have come.
   *
   * @param id the token
   * @param logProbability natural logarithm
   */
  public record Alternative(int id, float logProbability) {}
}
