package io.smallmind.app;

import io.smallmind.training.TrainingOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a network is trained; what is not given stays as it was. */
final class TrainingOption {
  @Option(names = "--steps", paramLabel = "N", description = "Number of steps. Default: 1000.")
  private @Nullable Long steps;

  @Option(names = "--batch", paramLabel = "N", description = "Texts per batch. Default: 8.")
  private @Nullable Integer batch;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Tokens per text. Default: 256, or what the model has.")
  private @Nullable Integer context;

  @Option(names = "--accumulation", paramLabel = "N", description = "Batches per step. Default: 1.")
  private @Nullable Integer accumulation;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "Largest size of a step. Default: 0.001; finetune without --lora: 0.0001.")
  private @Nullable Double learningRate;

  @Option(
      names = "--last-rate",
      paramLabel = "X",
      description = "Learning rate at the end, as a share of the largest. Default: 0.1.")
  private @Nullable Double lastRate;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description = "Steps in which the learning rate rises. Default: 50.")
  private @Nullable Long warmup;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      description = "How it falls: cosine, linear or constant. Default: cosine.")
  private TrainingOptions.@Nullable Schedule schedule;

  @Option(names = "--decay", paramLabel = "X", description = "Weight decay. Default: 0.1.")
  private @Nullable Double decay;

  @Option(
      names = "--clip",
      paramLabel = "X",
      description = "Largest norm of gradients; 0: any. Default: 1.")
  private @Nullable Double clip;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Share of values that fall. Default: 0.")
  private @Nullable Double dropout;

  @Option(
      names = "--recompute",
      description = "Keep the activations of one layer at a time: less memory, a third more time.")
  private @Nullable Boolean recompute;

  @Option(
      names = "--validation",
      paramLabel = "P",
      description = "Share of the text, at its end, to evaluate with. Default: 0.05.")
  private @Nullable Double validation;

  @Option(
      names = "--evaluate-every",
      paramLabel = "N",
      description = "Steps between evaluations. Default: 100.")
  private @Nullable Long evaluateEvery;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description = "Stop after so many evaluations without progress; 0: never. Default: 0.")
  private @Nullable Integer patience;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights, order and dropout. Default: 1.")
  private @Nullable Long seed;

  /** Returns options with what was given instead of what they say. */
  TrainingOptions apply(TrainingOptions before) {
    return before.toBuilder()
        .steps(or(steps, before.steps()))
        .batch(or(batch, before.batch()))
        .context(or(context, before.context()))
        .accumulation(or(accumulation, before.accumulation()))
        .learningRate(or(learningRate, before.learningRate()))
        .lastRate(or(lastRate, before.lastRate()))
        .warmup(or(warmup, before.warmup()))
        .schedule(or(schedule, before.schedule()))
        .decay(or(decay, before.decay()))
        .maxNorm(or(clip, before.maxNorm()))
        .dropout(or(dropout, before.dropout()))
        .recomputes(or(recompute, before.recomputes()))
        .validation(or(validation, before.validation()))
        .evaluateEvery(or(evaluateEvery, before.evaluateEvery()))
        .patience(or(patience, before.patience()))
        .seed(or(seed, before.seed()))
        .build();
  }

  /** Returns an option that was given, but matters only where there are evaluations; or null. */
  @Nullable String evaluation() {
    return patience != null && patience > 0
        ? "--patience"
        : evaluateEvery != null ? "--evaluate-every" : null;
  }

  private static <T> T or(@Nullable T given, T before) {
    return given == null ? before : given;
  }
}
