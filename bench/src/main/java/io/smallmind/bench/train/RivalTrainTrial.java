package io.smallmind.bench.train;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.RivalTrial;
import io.smallmind.bench.rivals.TrainingEngine;
import io.smallmind.bench.rivals.TrainingRival;
import io.smallmind.convert.ModelShape;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/** Training steps of another library, in a process of its own; a call is a step. */
final class RivalTrainTrial extends RivalTrial<TrainingEngine> {
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

  RivalTrainTrial(TrainingRival rival, Training training, int threads) {
    super(rival, threads);
    this.rival = rival;
    this.training = training;
  }

  @Override
  protected TrainingEngine open() throws IOException {
    ModelShape shape = training.shape();
    TrainingEngine engine =
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
    figures.put("parameters", (double) engine.parameters());
    return engine;
  }

  private static TrainingEngine.Step step(TrainingEngine engine, int[] tokens) throws IOException {
    int[] targets = new int[tokens.length];
    System.arraycopy(tokens, 1, targets, 0, tokens.length - 1);
    return engine.step(tokens, targets);
  }

  private int[] tokens() {
    return random
        .ints((long) training.batch() * training.context(), 0, training.shape().vocabulary())
        .toArray();
  }

  /** Checks that it knows nothing at first, and learns one text by heart. */
  @Override
  protected Verdict check(TrainingEngine running) throws IOException {
    int[] tokens = tokens();
    double first = step(running, tokens).loss();
    Checker checker = new Checker();
    double ignorance = Math.log(training.shape().vocabulary());
    checker.check("the first loss", first, ignorance, FIRST_LOSS_TOLERANCE);
    double last = first;
    for (int i = 1; i < CHECKED_STEPS; i++) {
      last = step(running, tokens).loss();
    }
    checker.check("the fall of the loss", Math.min(0, first - last), 0, Double.MIN_NORMAL);
    figures.put("firstLoss", first);
    figures.put("lastLoss", last);
    return checker.verdict();
  }

  @Override
  protected void time(TrainingEngine running, LongConsumer nanos) throws IOException {
    nanos.accept(step(running, tokens()).nanos());
  }

  @Override
  public Map<String, Double> figures() {
    return figures;
  }
}
