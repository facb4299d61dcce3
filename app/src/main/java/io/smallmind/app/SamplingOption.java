package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.SessionOptions;
import io.smallmind.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How text is generated, and remembered. */
final class SamplingOption {
  private static final String DEFAULT = "Default: ${DEFAULT-VALUE}.";

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      defaultValue = "256",
      description = "Most tokens to generate. " + DEFAULT)
  private int maxTokens;

  @Option(
      names = {"-t", "--temperature"},
      paramLabel = "T",
      defaultValue = "0.8",
      description = "0 takes the best token each time. " + DEFAULT)
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "40",
      description = "Draw from the best N tokens; 0: all. " + DEFAULT)
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "0.95",
      description = "Draw from the best tokens up to this probability. " + DEFAULT)
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0.05",
      description = "Draw from tokens at least P times as probable as the best. " + DEFAULT)
  private double minP;

  @Option(
      names = "--typical-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Draw from tokens of typical surprise up to this probability. " + DEFAULT)
  private double typicalP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Divide the scores of recent tokens. " + DEFAULT)
  private double repetitionPenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Subtract this for each recent occurrence. " + DEFAULT)
  private double frequencyPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Subtract this from what occurred recently. " + DEFAULT)
  private double presencePenalty;

  @Option(
      names = "--penalty-window",
      paramLabel = "N",
      defaultValue = "64",
      description = "How many tokens are recent; -1: all. " + DEFAULT)
  private int penaltyWindow;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text on the same backend.")
  private @Nullable Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End where this text would appear; may be given several times.")
  private List<String> stops = new ArrayList<>();

  @Option(names = "--ignore-end", description = "Go on when the model would end.")
  private boolean ignoreEnd;

  @Option(
      names = "--draft-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "Guess N tokens ahead from the context: the same text, faster if it repeats.")
  private int draftTokens;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Most tokens to remember; 0: what the model was trained on, at most 8192.")
  private int context;

  @Option(
      names = "--cache-type",
      paramLabel = "TYPE",
      defaultValue = "F16",
      description = "Type of keys and values: F16, Q8_0 (half the memory) or F32. " + DEFAULT)
  private TensorType cacheType = TensorType.F16;

  @Option(
      names = "--overflow",
      paramLabel = "POLICY",
      description = "When the context is full: error, stop or shift (forget the older half).")
  private SessionOptions.@Nullable Overflow overflow;

  List<String> stops() {
    return stops;
  }

  /** Returns a builder with everything that was asked for. */
  GenerationOptions.Builder builder() {
    GenerationOptions.Builder builder =
        GenerationOptions.builder()
            .maxTokens(maxTokens)
            .temperature(temperature)
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .typicalP(typicalP)
            .repetitionPenalty(repetitionPenalty)
            .frequencyPenalty(frequencyPenalty)
            .presencePenalty(presencePenalty)
            .penaltyWindow(penaltyWindow)
            .stops(stops)
            .ignoreEnd(ignoreEnd)
            .draftTokens(draftTokens);
    return seed == null ? builder : builder.seed(seed);
  }

  /**
   * Returns how a session remembers.
   *
   * @param usual policy for a full context, unless another one was asked for
   */
  SessionOptions session(SessionOptions.Overflow usual) {
    return new SessionOptions(context, cacheType, overflow == null ? usual : overflow);
  }
}
