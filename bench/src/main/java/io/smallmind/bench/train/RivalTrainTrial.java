package io.smallmind.bench.train;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.TrainingEngine;
import io.smallmind.bench.rivals.TrainingRival;
import io.smallmind.convert.ModelShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Training steps of another library, in a process of its own; a call is a step. */
final class RivalTrainTrial extends Trial {
  private static final long SEED = 20_260_101;
  private static final double RATE = 1e-3;
  private static final double DECAY = 0.1;

  /** Scores of random weights spread the loss by a few tenths around that of knowing nothing. */
  private static final double FIRST_LOSS_TOLERANCE = 0.3;

  private static final int CHECKED_STEPS = 4;

  private final TrainingRival rival;
  private final Training training;
  private final SplittableRandom random = new SplittableRandom(SEED);
  private final Map<String, Double> figures = new LinkedHashMap<>();
  private @Nullable TrainingEngine engine;

  RivalTrainTrial(TrainingRival rival, Training training, int threads) {
    super(rival.name(), Role.BASELINE, threads);
    this.rival = rival;
    this.training = training;
  }

  @Override
  public String unavailable() {
    return rival.missing();
  }

  private TrainingEngine engine() throws IOException {
    TrainingEngine running = engine;
    if (running == null) {
      ModelShape shape = training.shape();
      running =
          rival.openTraining(
              new TrainingRival.Network(
                  shape.vocabulary(),
                  shape.context(),
                  shape.length(),
                  shape.layers(),
                  shape.heads(),
                  training.context(),
                  RATE,
                  DECAY,
                  SEED,
                  threads()));
      engine = running;
      figures.put("parameters", (double) running.parameters());
    }
    return running;
  }

  private TrainingEngine.Step step(int[] tokens) throws IOException {
    int[] targets = new int[tokens.length];
    System.arraycopy(tokens, 1, targets, 0, tokens.length - 1);
    return engine().step(tokens, targets);
  }

  private int[] tokens() {
    return random
        .ints((long) training.batch() * training.context(), 0, training.shape().vocabulary())
        .toArray();
  }

  /** Checks that it knows nothing at first, and learns one text by heart. */
  @Override
  public Verdict verify() {
    try {
      int[] tokens = tokens();
      double first = step(tokens).loss();
      Checker checker = new Checker();
      double ignorance = Math.log(training.shape().vocabulary());
      checker.check("the first loss", first, ignorance, FIRST_LOSS_TOLERANCE);
      double last = first;
      for (int i = 1; i < CHECKED_STEPS; i++) {
        last = step(tokens).loss();
      }
      checker.check("the fall of the loss", Math.min(0, first - last), 0, Double.MIN_NORMAL);
      figures.put("firstLoss", first);
      figures.put("lastLoss", last);
      return checker.verdict();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    try {
      nanos.accept(step(tokens()).nanos());
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public void call() {
    throw new IllegalStateException("a rival times itself");
  }

  @Override
  public Map<String, Double> figures() {
    return figures;
  }

  @Override
  public void close() {
    if (engine != null) {
      engine.close();
      engine = null;
    }
  }
}
