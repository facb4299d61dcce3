package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * The surprise −ln p at the token that came, with p = softmax(logits): probabilities take the place
 * of the logits, and the logits' gradient p − [is the token], times a weight, takes the place of
 * the probabilities.
 */
final class CrossEntropyOp extends Op {
  private static final int GRAIN = 8;

  private final Kernels kernels;
  private final int[] targets; // (rows)
  private final double[] losses; // (rows)
  private final Matrix matrix;
  private final float weight;
  private final Lines lines;

  /**
   * Creates the operation.
   *
   * @param weight of a row in the total loss: 1 / rows for the mean
   */
  CrossEntropyOp(Tape tape, Tensor logits, int[] targets, float weight) {
    super(logits, logits);
    kernels = tape.kernels;
    this.targets = targets;
    this.weight = weight;
    losses = new double[logits.rows];
    matrix = Matrix.of(logits.value, TensorType.F32, logits.rows, logits.columns);
    lines = new Lines(tape.members, 1, logits.columns);
    logits.gradient = logits.value;
  }

  @Override
  void forward(Team team, int member) {
    int rows = input.rows;
    for (int first = (int) team.claim(GRAIN); first < rows; first = (int) team.claim(GRAIN)) {
      for (int row = first; row < Math.min(rows, first + GRAIN); row++) {
        losses[row] = loss(row, lines.get(member, 0));
      }
    }
  }

  private double loss(int row, float[] line) {
    MemorySegment values = input.value;
    long offset = input.offset(row);
    Lines.read(values, offset, line, input.columns);
    int best = best(line, input.columns);
    double margin = (double) line[best] - line[targets[row]];
    kernels.softmax(matrix, matrix, row, row + 1);
    // The best token's probability is never tiny, so that its logarithm is exact.
    return margin - Math.log(values.get(JAVA_FLOAT, offset + 4L * best));
  }

  private static int best(float[] line, int length) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < length; i++) {
      max = Math.max(max, line[i]);
    }
    for (int i = 0; i < length; i++) {
      if (line[i] == max) {
        return i;
      }
    }
    return 0; // a NaN among them, which the loss will show
  }

  /** Returns the mean loss of all rows; the forward pass must have ended. */
  double meanLoss() {
    return sumOfLosses(losses.length) / losses.length;
  }

  /** Returns the sum of the first rows' losses; the forward pass must have ended. */
  double sumOfLosses(int rows) {
    double sum = 0;
    for (int row = 0; row < rows; row++) {
      sum += losses[row];
    }
    return sum;
  }

  @Override
  void backward(Team team, int member) {
    int rows = input.rows;
    for (int first = (int) team.claim(GRAIN); first < rows; first = (int) team.claim(GRAIN)) {
      int count = Math.min(GRAIN, rows - first);
      long offset = input.offset(first);
      MemorySegment gradient = input.gradient;
      kernels.scale(weight, gradient, offset, gradient, offset, (long) count * input.columns);
      for (int row = first; row < first + count; row++) {
        long at = input.offset(row) + 4L * targets[row];
        gradient.set(JAVA_FLOAT, at, gradient.get(JAVA_FLOAT, at) - weight);
      }
    }
  }
}
