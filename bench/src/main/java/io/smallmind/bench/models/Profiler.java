package io.smallmind.bench.models;

import io.smallmind.bench.measure.Part;
import io.smallmind.bench.measure.Samples;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.model.PassObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Adds up where passes spend their time, by step, layer and member. Observing doesn't allocate;
 * each member writes to arrays of its own.
 */
final class Profiler implements PassObserver {
  /** The member's own counters, so that no two members write to one cache line. */
  private static final class Counters {
    final long[] worked; // (steps, layers and one for none)
    final long[] waited; // likewise
    final long[] calls; // (steps)
    long last;
    long passes;

    Counters(int slots) {
      worked = new long[slots];
      waited = new long[slots];
      calls = new long[Step.values().length];
    }
  }

  private final int layers;
  private final Counters[] members;
  private final Samples[] samples = new Samples[Step.values().length];
  private final List<double[]> waitShares = new ArrayList<>(); // (rounds)(steps)
  private final double[] calls = new double[Step.values().length]; // of the last round, per pass
  private final List<double[]> layerRounds = new ArrayList<>(); // (rounds)(steps · layers)

  Profiler(int layers, int threads) {
    this.layers = layers;
    members = new Counters[threads];
    for (int i = 0; i < threads; i++) {
      members[i] = new Counters(Step.values().length * (layers + 1));
    }
    Arrays.setAll(samples, i -> new Samples());
  }

  @Override
  public void begun(int member) {
    Counters mine = members[member];
    mine.passes++;
    mine.last = System.nanoTime();
  }

  @Override
  public void worked(int member, int layer, Step step) {
    Counters mine = members[member];
    long now = System.nanoTime();
    mine.worked[slot(step, layer)] += now - mine.last;
    mine.calls[step.ordinal()]++;
    mine.last = now;
  }

  @Override
  public void waited(int member, int layer, Step step) {
    Counters mine = members[member];
    long now = System.nanoTime();
    mine.waited[slot(step, layer)] += now - mine.last;
    mine.last = now;
  }

  private int slot(Step step, int layer) {
    return step.ordinal() * (layers + 1) + layer + 1;
  }

  /** Forgets what was seen. */
  void reset() {
    for (Counters member : members) {
      Arrays.fill(member.worked, 0);
      Arrays.fill(member.waited, 0);
      Arrays.fill(member.calls, 0);
      member.passes = 0;
    }
  }

  /** Keeps what was seen since the last reset: the mean of its passes, over the members. */
  void endRound() {
    double passes = (double) members[0].passes * members.length;
    if (passes == 0) {
      return;
    }
    double[] byLayer = new double[members[0].worked.length];
    double[] shares = new double[Step.values().length];
    for (Step step : Step.values()) {
      double total = 0;
      double waited = 0;
      for (int layer = NO_LAYER; layer < layers; layer++) {
        int slot = slot(step, layer);
        for (Counters member : members) {
          byLayer[slot] += (member.worked[slot] + member.waited[slot]) / passes;
          waited += member.waited[slot] / passes;
        }
        total += byLayer[slot];
      }
      calls[step.ordinal()] = members[0].calls[step.ordinal()] / (double) members[0].passes;
      if (total > 0) {
        shares[step.ordinal()] = waited / total;
        samples[step.ordinal()].record(Math.round(total), 1);
        samples[step.ordinal()].endRound();
      }
    }
    layerRounds.add(byLayer);
    waitShares.add(shares);
  }

  /**
   * Returns the steps that took time, in the order in which a pass takes them.
   *
   * @param costs of a call
   */
  List<Part> parts(ModelCosts costs, double passesPerCall) {
    List<Part> parts = new ArrayList<>();
    for (Step step : Step.values()) {
      if (samples[step.ordinal()].count() > 0) {
        Statistics nanos = samples[step.ordinal()].statistics(1).times(passesPerCall);
        parts.add(
            new Part(
                step.title(),
                costs.operations(step),
                costs.bytes(step),
                costs.limit(step),
                nanos,
                passesPerCall * calls[step.ordinal()],
                nanos.median() * median(waitShares, step.ordinal()),
                layerMedians(step).stream().map(time -> passesPerCall * time).toList()));
      }
    }
    return parts;
  }

  private static double median(List<double[]> rounds, int slot) {
    double[] values = rounds.stream().mapToDouble(round -> round[slot]).sorted().toArray();
    return values[values.length / 2];
  }

  /** Returns the time of each layer, the median over the rounds; empty for a step without. */
  private List<Double> layerMedians(Step step) {
    List<Double> medians = new ArrayList<>();
    double sum = 0;
    for (int layer = 0; layer < layers; layer++) {
      double time = median(layerRounds, slot(step, layer));
      medians.add(time);
      sum += time;
    }
    return sum > 0 ? medians : List.of();
  }
}
