package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import java.util.Map;

/**
 * How the next token is chosen. Filters run in this order: bias, penalties, constraint, top-k,
 * typical, top-p, min-p, temperature, draw.
 *
 * @param temperature scores are divided by it; 0 takes the best token (greedy), ignoring the
 *     filters
 * @param topK only the best so many tokens; 0 for all
 * @param topP only the most probable tokens whose probabilities reach this sum (Holtzman et al.
 *     2020); 1 for all
 * @param minP only tokens at least this fraction as probable as the best; 0 for all
 * @param typicalP only the tokens whose surprise is closest to the expected one, up to this sum of
 *     probabilities (Meister et al. 2023); 1 for all
 * @param repetitionPenalty scores of recent tokens are divided by it if positive and else
 *     multiplied (Keskar et al. 2019); 1 for none
 * @param frequencyPenalty subtracted from the score of a token for each recent occurrence
 * @param presencePenalty subtracted from the score of a token that occurred recently
 * @param penaltyWindow how many of the last tokens count as recent; −1 for all
 * @param logitBias added to the scores of tokens; −∞ forbids one
 * @param seed of the random draws: the same seed gives the same tokens on the same backend
 */
public record SamplingOptions(
    float temperature,
    int topK,
    float topP,
    float minP,
    float typicalP,
    float repetitionPenalty,
    float frequencyPenalty,
    float presencePenalty,
    int penaltyWindow,
    Map<Integer, Float> logitBias,
    long seed) {

  /** Checks the ranges. */
  public SamplingOptions {
    require("temperature", temperature, temperature >= 0 && temperature <= 100, "0 to 100");
    require("topK", topK, topK >= 0, "0 or more");
    require("topP", topP, topP > 0 && topP <= 1, "above 0, to 1");
    require("minP", minP, minP >= 0 && minP <= 1, "0 to 1");
    require("typicalP", typicalP, typicalP > 0 && typicalP <= 1, "above 0, to 1");
    require(
        "repetitionPenalty",
        repetitionPenalty,
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "above 0, to 100");
    require("frequencyPenalty", frequencyPenalty, Math.abs(frequencyPenalty) <= 100, "−100 to 100");
    require("presencePenalty", presencePenalty, Math.abs(presencePenalty) <= 100, "−100 to 100");
    require("penaltyWindow", penaltyWindow, penaltyWindow >= -1, "−1 or more");
    logitBias = Map.copyOf(logitBias);
    for (Map.Entry<Integer, Float> bias : logitBias.entrySet()) {
      require(
          "logitBias of token " + bias.getKey(),
          bias.getValue(),
          bias.getKey() >= 0 && bias.getValue() < Float.POSITIVE_INFINITY,
          "a token of the vocabulary, a number or −∞");
    }
  }

  private static void require(String name, Number value, boolean fine, String range) {
    if (!fine) {
      throw new BadArgumentException(name + " = " + value + ": choose " + range);
    }
  }

  /** Returns options that take the best token each time. */
  public static SamplingOptions greedy() {
    return new SamplingOptions(0, 0, 1, 0, 1, 1, 0, 0, 64, Map.of(), 0);
  }

  /** Tells whether recent tokens change scores. */
  boolean penalizes() {
    return penaltyWindow != 0
        && (repetitionPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0);
  }

  /** Tells whether only some of the tokens are drawn from. */
  boolean filters() {
    return topK > 0 || topP < 1 || minP > 0 || typicalP < 1;
  }
}
