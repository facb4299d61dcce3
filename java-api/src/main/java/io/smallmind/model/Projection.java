package io.smallmind.model;

import io.smallmind.kernels.PackedWeights;
import io.smallmind.tensor.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * One matrix that maps activations to outputs, y = (W + adapter)·x + bias.
 *
 * @param weights (outputs, inputs)
 * @param adapter what is added to the weights, or null for nothing
 * @param bias (1, outputs) F32, or null for none
 * @param target which buffer of the batch receives the outputs
 */
record Projection(
    PackedWeights weights, @Nullable Adapter adapter, @Nullable Matrix bias, Buffer target) {
  /**
   * The outputs of an adapter that belong to a projection.
   *
   * @param firstOutput where they begin
   */
  record Adapter(LoraAdapter.Delta delta, long firstOutput) {}

  /** The buffers of a batch that projections write to. */
  enum Buffer {
    /** Queries. */
    QUERIES,
    /** Keys. */
    KEYS,
    /** Values. */
    VALUES,
    /** What a feed-forward block activates. */
    GATE,
    /** What the activated gate lets through. */
    UP,
    /** What a block adds to the residual stream. */
    RESIDUAL,
    /** Scores of the experts. */
    ROUTER,
    /** Scores of the vocabulary. */
    LOGITS
  }
}
