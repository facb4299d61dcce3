package io.smallmind.model;

import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Shares;

/**
 * How the rows of a batch are shared out among the members of a team: evenly, or, where members
 * keep their rows for whole layers, so that all have as much to do, later rows having more to
 * attend to.
 *
 * <p>Belongs to one forward pass; not thread-safe.
 */
final class RowShares {
  private final ModelConfig config;
  private final Batch batch;
  private final double productsPerRow;
  private final double localLayers;
  private final int[] first;

  RowShares(ModelConfig config, ModelWeights weights, Batch batch, int members) {
    this.config = config;
    this.batch = batch;
    productsPerRow = products(weights) / config.layers();
    int local = 0;
    for (int layer = 0; layer < config.layers(); layer++) {
      local += config.isLocal(layer) ? 1 : 0;
    }
    localLayers = (double) local / config.layers();
    first = new int[members + 1];
  }

  private static double products(ModelWeights weights) {
    double sum = 0;
    for (LayerWeights layer : weights.layers) {
      sum += products(layer.attentionInputs()) + products(layer.attentionOutput());
      if (layer.feedForward() != null) {
        sum += products(layer.feedForward().inputs()) + products(layer.feedForward().output());
      }
    }
    return sum;
  }

  private static double products(Projection[] projections) {
    double sum = 0;
    for (Projection projection : projections) {
      PackedWeights w = projection.weights();
      sum += (double) w.rows() * w.columns() * w.kernels().productCost(w.type());
    }
    return sum;
  }

  /** Shares out the batch's rows; returns whether members are to keep theirs. */
  boolean split(int rows, int members) {
    boolean kept = Shares.keepRows(rows, members);
    double all = 0;
    for (int row = 0; row < rows; row++) {
      all += kept ? cost(row) : 1;
    }
    double sum = 0;
    int member = 0;
    for (int row = 0; row < rows; row++) {
      if (sum >= all * member / members) {
        first[member++] = row;
      }
      sum += kept ? cost(row) : 1;
    }
    while (member <= members) {
      first[member++] = rows;
    }
    return kept;
  }

  /** Returns the first row of a member; that of the one behind the last is the number of rows. */
  int begin(int member) {
    return first[member];
  }

  /** Returns what a row costs in a layer, in products of attention. */
  private double cost(int row) {
    double seen = batch.positions[row] + 1.0;
    double local = Math.min(seen, config.window());
    double average = seen + localLayers * (local - seen);
    return productsPerRow + 2.0 * config.queryLength() * average;
  }
}
