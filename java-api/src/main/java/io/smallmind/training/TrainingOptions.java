package io.smallmind.training;

import io.smallmind.error.BadArgumentException;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufType;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import java.util.Locale;

/**
 * How a network is trained. Immutable; made by {@link #builder()}.
 *
 * @param steps number of steps
 * @param batch texts per batch
 * @param context tokens per text
 * @param accumulation batches per step, whose gradients are averaged
 * @param learningRate largest size of a step
 * @param lastRate the learning rate at the end, as a share of the largest
 * @param warmup steps in which the learning rate rises from 0
 * @param schedule how it falls after that
 * @param beta1 how slowly Adam's mean of gradients moves
 * @param beta2 how slowly Adam's mean of squared gradients moves
 * @param decay of weights per step, times the learning rate; norms and biases don't decay
 * @param maxNorm gradients of a larger norm are scaled down to it; 0 for no limit
 * @param dropout share of the values that fall behind embeddings and blocks
 * @param recomputes keep the activations of one layer at a time, and compute the others again
 * @param validation share of the text, at its end, that is not trained on
 * @param evaluateEvery steps between evaluations
 * @param patience evaluations without a better loss after which training stops; 0: never
 * @param seed of weights, order and dropout
 */
public record TrainingOptions(
    long steps,
    int batch,
    int context,
    int accumulation,
    double learningRate,
    double lastRate,
    long warmup,
    Schedule schedule,
    double beta1,
    double beta2,
    double decay,
    double maxNorm,
    double dropout,
    boolean recomputes,
    double validation,
    long evaluateEvery,
    int patience,
    long seed) {
  private static final String PREFIX = "smallmind.training.";

  /** How the learning rate falls. */
  public enum Schedule {
    /** Along half a wave. */
    COSINE,
    /** Evenly. */
    LINEAR,
    /** Not at all. */
    CONSTANT
  }

  /** Checks the ranges. */
  public TrainingOptions {
    check(steps >= 1, "steps", steps, "1 or more");
    check(batch >= 1, "batch", batch, "1 or more");
    check(context >= 2, "context", context, "2 or more");
    check((long) batch * context < 1 << 24, "batch · context", (long) batch * context, "less");
    check(accumulation >= 1, "accumulation", accumulation, "1 or more");
    check(learningRate > 0 && learningRate < 1, "learning rate", learningRate, "0 to 1");
    check(lastRate >= 0 && lastRate <= 1, "last rate", lastRate, "0 to 1");
    check(warmup >= 0, "warm-up", warmup, "0 or more");
    check(beta1 >= 0 && beta1 < 1, "beta1", beta1, "0 to below 1");
    check(beta2 >= 0 && beta2 < 1, "beta2", beta2, "0 to below 1");
    check(decay >= 0 && decay < 1 / learningRate, "weight decay", decay, "0 or more");
    check(maxNorm >= 0, "largest norm", maxNorm, "0 or more");
    check(dropout >= 0 && dropout < 1, "dropout", dropout, "0 to below 1");
    check(validation >= 0 && validation <= 0.5, "validation share", validation, "0 to 0.5");
    check(evaluateEvery >= 1, "steps between evaluations", evaluateEvery, "1 or more");
    check(patience >= 0, "patience", patience, "0 or more");
  }

  private static void check(boolean fits, String name, Object value, String range) {
    if (!fits) {
      throw new BadArgumentException(name + " = " + value + ": choose " + range);
    }
  }

  /** Returns a builder with the usual values. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns a builder with these values. */
  public Builder toBuilder() {
    return builder()
        .steps(steps)
        .batch(batch)
        .context(context)
        .accumulation(accumulation)
        .learningRate(learningRate)
        .lastRate(lastRate)
        .warmup(warmup)
        .schedule(schedule)
        .betas(beta1, beta2)
        .decay(decay)
        .maxNorm(maxNorm)
        .dropout(dropout)
        .recomputes(recomputes)
        .validation(validation)
        .evaluateEvery(evaluateEvery)
        .patience(patience)
        .seed(seed);
  }

  /** Returns the learning rate of a step, counted from 1. */
  double rate(long step) {
    if (step <= warmup) {
      return learningRate * step / warmup;
    }
    double passed = steps == warmup ? 1 : Math.min(1, (double) (step - warmup) / (steps - warmup));
    double left =
        switch (schedule) {
          case COSINE -> (1 + Math.cos(Math.PI * passed)) / 2;
          case LINEAR -> 1 - passed;
          case CONSTANT -> 1;
        };
    return learningRate * (lastRate + (1 - lastRate) * left);
  }

  /** Writes all values into a checkpoint. */
  void put(GgufWriter writer) {
    number(writer, "steps", steps);
    number(writer, "batch", batch);
    number(writer, "context", context);
    number(writer, "accumulation", accumulation);
    writer.put(PREFIX + "learning_rate", GgufValue.float64(learningRate));
    writer.put(PREFIX + "last_rate", GgufValue.float64(lastRate));
    number(writer, "warmup", warmup);
    writer.put(PREFIX + "schedule", schedule.name().toLowerCase(Locale.ROOT));
    writer.put(PREFIX + "beta1", GgufValue.float64(beta1));
    writer.put(PREFIX + "beta2", GgufValue.float64(beta2));
    writer.put(PREFIX + "decay", GgufValue.float64(decay));
    writer.put(PREFIX + "max_norm", GgufValue.float64(maxNorm));
    writer.put(PREFIX + "dropout", GgufValue.float64(dropout));
    writer.put(PREFIX + "recomputes", recomputes);
    writer.put(PREFIX + "validation", GgufValue.float64(validation));
    number(writer, "evaluate_every", evaluateEvery);
    number(writer, "patience", patience);
    number(writer, "seed", seed);
  }

  private static void number(GgufWriter writer, String name, long value) {
    writer.put(PREFIX + name, GgufValue.integer(GgufType.INT64, value));
  }

  /** Reads all values from a checkpoint. */
  static TrainingOptions of(GgufMetadata metadata) {
    return builder()
        .steps(metadata.integer(PREFIX + "steps"))
        .batch((int) metadata.integer(PREFIX + "batch", 1, 1 << 24))
        .context((int) metadata.integer(PREFIX + "context", 1, 1 << 24))
        .accumulation((int) metadata.integer(PREFIX + "accumulation", 1, 1 << 24))
        .learningRate(metadata.real(PREFIX + "learning_rate"))
        .lastRate(metadata.real(PREFIX + "last_rate"))
        .warmup(metadata.integer(PREFIX + "warmup"))
        .schedule(schedule(metadata.string(PREFIX + "schedule")))
        .betas(metadata.real(PREFIX + "beta1"), metadata.real(PREFIX + "beta2"))
        .decay(metadata.real(PREFIX + "decay"))
        .maxNorm(metadata.real(PREFIX + "max_norm"))
        .dropout(metadata.real(PREFIX + "dropout"))
        .recomputes(metadata.bool(PREFIX + "recomputes"))
        .validation(metadata.real(PREFIX + "validation"))
        .evaluateEvery(metadata.integer(PREFIX + "evaluate_every"))
        .patience((int) metadata.integer(PREFIX + "patience", 0, 1 << 24))
        .seed(metadata.integer(PREFIX + "seed"))
        .build();
  }

  private static Schedule schedule(String name) {
    for (Schedule schedule : Schedule.values()) {
      if (schedule.name().toLowerCase(Locale.ROOT).equals(name)) {
        return schedule;
      }
    }
    throw new BadArgumentException("schedule '" + name + "': choose cosine, linear or constant");
  }

  /** Collects options; see {@link TrainingOptions} for what they mean. */
  public static final class Builder {
    private long steps = 1000;
    private int batch = 8;
    private int context = 256;
    private int accumulation = 1;
    private double learningRate = 1e-3;
    private double lastRate = 0.1;
    private long warmup = 50;
    private Schedule schedule = Schedule.COSINE;
    private double beta1 = 0.9;
    private double beta2 = 0.95;
    private double decay = 0.1;
    private double maxNorm = 1;
    private double dropout;
    private boolean recomputes;
    private double validation = 0.05;
    private long evaluateEvery = 100;
    private int patience;
    private long seed = 1;

    private Builder() {}

    /** Sets the number of steps. */
    public Builder steps(long value) {
      steps = value;
      return this;
    }

    /** Sets the texts per batch. */
    public Builder batch(int value) {
      batch = value;
      return this;
    }

    /** Sets the tokens per text. */
    public Builder context(int value) {
      context = value;
      return this;
    }

    /** Sets the batches per step. */
    public Builder accumulation(int value) {
      accumulation = value;
      return this;
    }

    /** Sets the largest learning rate. */
    public Builder learningRate(double value) {
      learningRate = value;
      return this;
    }

    /** Sets the learning rate at the end, as a share of the largest. */
    public Builder lastRate(double value) {
      lastRate = value;
      return this;
    }

    /** Sets the steps in which the learning rate rises. */
    public Builder warmup(long value) {
      warmup = value;
      return this;
    }

    /** Sets how the learning rate falls. */
    public Builder schedule(Schedule value) {
      schedule = value;
      return this;
    }

    /** Sets how slowly Adam's means move. */
    public Builder betas(double first, double second) {
      beta1 = first;
      beta2 = second;
      return this;
    }

    /** Sets the decay of weights. */
    public Builder decay(double value) {
      decay = value;
      return this;
    }

    /** Sets the largest norm of gradients; 0 for no limit. */
    public Builder maxNorm(double value) {
      maxNorm = value;
      return this;
    }

    /** Sets the share of values that fall. */
    public Builder dropout(double value) {
      dropout = value;
      return this;
    }

    /** Sets whether activations are computed again to save memory. */
    public Builder recomputes(boolean value) {
      recomputes = value;
      return this;
    }

    /** Sets the share of the text that is not trained on. */
    public Builder validation(double value) {
      validation = value;
      return this;
    }

    /** Sets the steps between evaluations. */
    public Builder evaluateEvery(long value) {
      evaluateEvery = value;
      return this;
    }

    /** Sets after how many evaluations without progress to stop; 0: never. */
    public Builder patience(int value) {
      patience = value;
      return this;
    }

    /** Sets the seed of weights, order and dropout. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /**
     * Returns the options.
     *
     * @throws BadArgumentException if one is out of range
     */
    public TrainingOptions build() {
      return new TrainingOptions(
          steps,
          batch,
          context,
          accumulation,
          learningRate,
          lastRate,
          warmup,
          schedule,
          beta1,
          beta2,
          decay,
          maxNorm,
          dropout,
          recomputes,
          validation,
          evaluateEvery,
          patience,
          seed);
    }
  }
}
