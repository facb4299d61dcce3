package io.smallmind.app;

import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import java.util.Locale;

/** How fast a generation was. */
final class Speed {
  private static final double NANOS = 1e9;

  private Speed() {}

  /** Returns the prompt's tokens that were computed, per second. */
  static double prompt(GenerationResult result) {
    GenerationResult.Usage usage = result.usage();
    return (usage.promptTokens() - usage.reusedTokens()) * NANOS / result.timings().promptNanos();
  }

  /** Returns generated tokens per second. The first one comes with the prompt. */
  static double generation(GenerationResult result) {
    return Math.max(0, result.usage().generatedTokens() - 1)
        * NANOS
        / result.timings().generationNanos();
  }

  /** Returns one line for people to read. */
  static String describe(GenerationResult result, LanguageModel model, long loadNanos) {
    return String.format(
        Locale.ROOT,
        "[%s, %d threads; loaded in %.2f s; prompt %d tokens, %.1f/s; generated %d tokens, %.1f/s;"
            + " %s]",
        model.backend(),
        model.threads(),
        loadNanos / NANOS,
        result.usage().promptTokens(),
        prompt(result),
        result.usage().generatedTokens(),
        generation(result),
        result.finishReason().name().toLowerCase(Locale.ROOT));
  }
}
