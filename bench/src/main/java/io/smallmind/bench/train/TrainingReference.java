package io.smallmind.bench.train;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import org.jspecify.annotations.Nullable;

/**
 * The losses and norms of gradients of the first steps on a short text, as the scalar backend
 * computes them: the second step's tell whether the weights were changed rightly. Not thread-safe.
 */
final class TrainingReference {
  private static final int STEPS = 2;
  private static final int LONGEST_TEXT = 32;

  /** Sums of some thousand F32 products in another order, of each product of a layer. */
  private static final double ROUNDING_NOISE = 1e-4;

  private final Training training;
  private final TokenData data;
  private final Team team;
  private double @Nullable [] expected; // (steps, loss and norm)

  TrainingReference(Training training, TokenData data, Team team) {
    this.training = training;
    this.data = data;
    this.team = team;
  }

  Verdict check(Kernels kernels) {
    double[] right = expected;
    if (right == null) {
      right = run(KernelRegistry.get().byName("scalar"));
      expected = right;
    }
    double[] actual = run(kernels);
    double tolerance = ROUNDING_NOISE * Math.sqrt(4.0 * training.shape().layers() + 1);
    Checker checker = new Checker();
    for (int i = 0; i < actual.length; i++) {
      String what = (i % 2 == 0 ? "loss" : "norm of gradients") + " of step " + (i / 2 + 1);
      checker.check(what, actual[i], right[i], tolerance * Math.abs(right[i]));
    }
    return checker.verdict();
  }

  private double[] run(Kernels kernels) {
    int tokens = Math.min(LONGEST_TEXT, training.context());
    double[] found = new double[2 * STEPS];
    try (Trainer trainer = training.trainer(data, kernels, team, 1, tokens)) {
      for (int step = 0; step < STEPS; step++) {
        found[2 * step] = trainer.step();
        found[2 * step + 1] = trainer.gradientNorm();
      }
    }
    return found;
  }
}
