package io.smallmind.training;

import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufType;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import java.util.Arrays;

/** The losses of a run, for its picture: of every step, and of every evaluation. */
public final class History {
  private static final String PREFIX = "smallmind.history.";

  /** Longer runs keep the losses of their first steps only. */
  private static final int MAX_STEPS = 1 << 24;

  private final float[] losses; // (steps)
  private int count;
  private long[] evaluationSteps = new long[64];
  private double[] evaluations = new double[64];
  private int evaluationCount;

  History(TrainingOptions options) {
    losses = new float[(int) Math.min(MAX_STEPS, options.steps())];
  }

  void add(long step, double loss) {
    if (step <= losses.length) {
      losses[(int) step - 1] = (float) loss;
      count = (int) step;
    }
  }

  void addEvaluation(long step, double loss) {
    if (evaluationCount == evaluations.length) {
      evaluationSteps = Arrays.copyOf(evaluationSteps, 2 * evaluationCount);
      evaluations = Arrays.copyOf(evaluations, 2 * evaluationCount);
    }
    evaluationSteps[evaluationCount] = step;
    evaluations[evaluationCount++] = loss;
  }

  /** Returns the loss of each step so far. */
  public float[] losses() {
    return Arrays.copyOf(losses, count);
  }

  /** Returns after how many steps evaluations took place. */
  public long[] evaluationSteps() {
    return Arrays.copyOf(evaluationSteps, evaluationCount);
  }

  /** Returns the mean loss of each evaluation. */
  public double[] evaluations() {
    return Arrays.copyOf(evaluations, evaluationCount);
  }

  /** Returns the smallest loss of all evaluations, or NaN if there was none. */
  public double bestEvaluation() {
    return Arrays.stream(evaluations()).min().orElse(Double.NaN);
  }

  /** Returns how many evaluations have passed since the best one. */
  int evaluationsSinceBest() {
    int best = 0;
    for (int i = 1; i < evaluationCount; i++) {
      best = evaluations[i] < evaluations[best] ? i : best;
    }
    return evaluationCount == 0 ? 0 : evaluationCount - 1 - best;
  }

  void put(GgufWriter writer) {
    writer.put(PREFIX + "losses", GgufValue.float32s(losses()));
    writer.put(PREFIX + "evaluations", GgufValue.float64s(evaluations()));
    writer.put(PREFIX + "evaluation_steps", GgufValue.integers(GgufType.INT64, evaluationSteps()));
  }

  void read(GgufMetadata metadata) {
    double[] read = metadata.reals(PREFIX + "losses", new double[0]);
    for (int i = 0; i < read.length; i++) {
      add(i + 1, read[i]);
    }
    double[] values = metadata.reals(PREFIX + "evaluations", new double[0]);
    long[] steps = metadata.integers(PREFIX + "evaluation_steps", new long[0]);
    for (int i = 0; i < Math.min(values.length, steps.length); i++) {
      addEvaluation(steps[i], values[i]);
    }
  }
}
