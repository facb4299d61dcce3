package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.SessionOptions;
import io.smallmind.error.BadArgumentException;
import io.smallmind.sampling.Constraint;
import io.smallmind.sampling.Grammar;
import io.smallmind.sampling.JsonSchema;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How text is generated, and remembered. */
final class SamplingOption {
  private static final GenerationOptions USUAL = GenerationOptions.defaults();
  private static final String DEFAULT = "Default: ${DEFAULT-VALUE}.";

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "Most tokens to generate. " + DEFAULT)
  private int maxTokens = USUAL.maxTokens();

  @Option(
      names = {"-t", "--temperature"},
      paramLabel = "T",
      description = "0 takes the best token each time. " + DEFAULT)
  private float temperature = USUAL.sampling().temperature();

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Draw from the best N tokens; 0: all. " + DEFAULT)
  private int topK = USUAL.sampling().topK();

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draw from the best tokens up to this probability. " + DEFAULT)
  private float topP = USUAL.sampling().topP();

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Draw from tokens at least P times as probable as the best. " + DEFAULT)
  private float minP = USUAL.sampling().minP();

  @Option(
      names = "--typical-p",
      paramLabel = "P",
      description = "Draw from tokens of typical surprise up to this probability. " + DEFAULT)
  private float typicalP = USUAL.sampling().typicalP();

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description = "Divide the scores of recent tokens. " + DEFAULT)
  private float repetitionPenalty = USUAL.sampling().repetitionPenalty();

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "Subtract this for each recent occurrence. " + DEFAULT)
  private float frequencyPenalty = USUAL.sampling().frequencyPenalty();

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      description = "Subtract this from what occurred recently. " + DEFAULT)
  private float presencePenalty = USUAL.sampling().presencePenalty();

  @Option(
      names = "--penalty-window",
      paramLabel = "N",
      description = "How many tokens are recent; -1: all. " + DEFAULT)
  private int penaltyWindow = USUAL.sampling().penaltyWindow();

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
      description = "Guess N tokens ahead from the context: the same text, faster if it repeats.")
  private int draftTokens = USUAL.draftTokens();

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Most tokens to remember; 0: what the model was trained on, at most 8192.")
  private int context;

  @Option(
      names = "--cache-type",
      paramLabel = "TYPE",
      description = "Type of keys and values: F16, Q8_0 (half the memory) or F32. " + DEFAULT)
  private TensorType cacheType = TensorType.F16;

  @Option(
      names = "--overflow",
      paramLabel = "POLICY",
      description = "When the context is full: error, stop or shift (forget the older half).")
  private SessionOptions.@Nullable Overflow overflow;

  @ArgGroup private Form form = new Form();

  /** What the text must conform to; at most one of them. */
  private static final class Form {
    @Option(
        names = "--grammar",
        paramLabel = "FILE",
        description = "Keep the text within the grammar in this file, in GBNF.")
    private @Nullable Path grammar;

    @Option(
        names = "--json-schema",
        paramLabel = "FILE",
        description = "Make the text a JSON value of the schema in this file.")
    private @Nullable Path jsonSchema;

    @Nullable Constraint constraint() throws IOException {
      Path file = grammar != null ? grammar : jsonSchema;
      if (file == null) {
        return null;
      }
      String text = Files.readString(file);
      try {
        return grammar != null ? Grammar.parse(text) : JsonSchema.compile(text);
      } catch (BadArgumentException e) {
        throw new BadArgumentException(file + ": " + e.getMessage(), e);
      }
    }
  }

  /**
   * Returns a builder with everything that was asked for.
   *
   * @throws BadArgumentException if the grammar or the schema is none
   */
  GenerationOptions.Builder builder() throws IOException {
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
            .draftTokens(draftTokens)
            .constraint(form.constraint());
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
