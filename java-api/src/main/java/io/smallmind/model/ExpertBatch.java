package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Activations;
import io.smallmind.tensor.Matrix;
import java.util.Arrays;

/**
 * Which experts the rows of a batch take, and the rows sorted by expert, so that each expert
 * multiplies all of its rows at once. Row r's choice number c stands at {@code slot(r, c)} of the
 * sorted rows.
 */
final class ExpertBatch implements AutoCloseable {
  private final int expertCount;
  private final int used;

  /** (rows, experts): the router's scores. */
  final Matrix scores;

  /** (rows · used, embeddingLength): inputs sorted by expert. */
  final Activations inputs;

  /** (rows · used, embeddingLength): outputs sorted by expert. */
  final Matrix outputs;

  private final int[] chosen; // (rows, used)
  private final float[] weights; // (rows, used)
  private final int[] slots; // (rows, used)
  private final int[] sources; // (rows · used): the row of each slot
  private final int[] begins; // (experts + 1)
  private final int[] next; // (experts): the first free slot of each
  private final double[] probabilities; // (experts)

  ExpertBatch(ModelConfig config, int maxRows, Matrix scores, Activations inputs, Matrix outputs) {
    expertCount = config.experts();
    used = config.expertsUsed();
    this.scores = scores;
    this.inputs = inputs;
    this.outputs = outputs;
    chosen = new int[maxRows * used];
    weights = new float[maxRows * used];
    slots = new int[maxRows * used];
    sources = new int[maxRows * used];
    begins = new int[expertCount + 1];
    next = new int[expertCount];
    probabilities = new double[expertCount];
  }

  /**
   * Chooses the best experts of each row by the softmax of their scores, and shares a weight of 1
   * among those chosen (Jiang et al. 2024).
   */
  void route(int rows) {
    Arrays.fill(begins, 0);
    for (int row = 0; row < rows; row++) {
      choose(row);
    }
    for (int expert = 0; expert < expertCount; expert++) {
      begins[expert + 1] += begins[expert];
    }
    System.arraycopy(begins, 0, next, 0, expertCount);
    for (int choice = 0; choice < rows * used; choice++) {
      int slot = next[chosen[choice]]++;
      slots[choice] = slot;
      sources[slot] = choice / used;
    }
  }

  private void choose(int row) {
    double max = Double.NEGATIVE_INFINITY;
    for (int expert = 0; expert < expertCount; expert++) {
      double score = scores.segment().get(JAVA_FLOAT, scores.rowOffset(row) + 4L * expert);
      probabilities[expert] = score;
      max = Math.max(max, score);
    }
    for (int expert = 0; expert < expertCount; expert++) {
      probabilities[expert] = Math.exp(probabilities[expert] - max);
    }
    double sum = 0;
    for (int choice = 0; choice < used; choice++) {
      int best = 0;
      for (int expert = 1; expert < expertCount; expert++) {
        // Taken experts are negative; NaN never wins, so that hostile weights choose expert 0.
        if (probabilities[expert] > probabilities[best]) {
          best = expert;
        }
      }
      chosen[row * used + choice] = best;
      weights[row * used + choice] = (float) probabilities[best];
      sum += probabilities[best];
      probabilities[best] = -1;
      begins[best + 1]++;
    }
    for (int choice = 0; choice < used; choice++) {
      weights[row * used + choice] /= (float) sum;
    }
  }

  /** Returns the first sorted row of an expert; its last one lies before the next expert's. */
  int begin(int expert) {
    return begins[expert];
  }

  /** Returns the row of the batch that a sorted row came from. */
  int source(int slot) {
    return sources[slot];
  }

  /** Returns where a row's choice stands among the sorted rows. */
  int slot(int row, int choice) {
    return slots[row * used + choice];
  }

  /** Returns the share of a row's choice in its output. */
  float weight(int row, int choice) {
    return weights[row * used + choice];
  }

  /** Returns how many experts each row takes. */
  int used() {
    return used;
  }

  @Override
  public void close() {
    inputs.close();
  }
}
