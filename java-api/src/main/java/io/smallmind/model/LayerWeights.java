package io.smallmind.model;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.tensor.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one block. Norms and biases are (1, length) F32.
 *
 * @param attentionNorm before attention
 * @param attentionInputs queries, keys and values: three projections, or one
 * @param queryNorm over each head of the queries, or null for none; likewise keyNorm
 * @param attentionOutput back to the embedding length
 * @param attentionPostNorm behind attention, or null for none
 * @param feedForwardNorm before the feed-forward block
 * @param feedForward the plain block, or null where experts are
 * @param experts the choice of blocks, or null where a plain one is
 * @param feedForwardPostNorm behind the feed-forward block, or null for none
 */
record LayerWeights(
    NormWeights attentionNorm,
    Projection[] attentionInputs,
    @Nullable NormWeights queryNorm,
    @Nullable NormWeights keyNorm,
    Projection[] attentionOutput,
    @Nullable NormWeights attentionPostNorm,
    NormWeights feedForwardNorm,
    @Nullable FeedForward feedForward,
    @Nullable Experts experts,
    @Nullable NormWeights feedForwardPostNorm) {

  /**
   * A norm's weights.
   *
   * @param weight (1, length)
   * @param bias (1, length), or null for none
   */
  record NormWeights(Matrix weight, @Nullable Matrix bias) {
    /** Normalises rows: by their root mean square, or with a bias by mean and variance. */
    void apply(Kernels kernels, float epsilon, Matrix in, Matrix out, long begin, long end) {
      if (bias == null) {
        kernels.rmsNorm(in, weight, epsilon, out, begin, end);
      } else {
        kernels.layerNorm(in, weight, bias, epsilon, out, begin, end);
      }
    }
  }

  /**
   * A feed-forward block.
   *
   * @param inputs gate and up: two projections, or one
   * @param output back to the embedding length
   */
  record FeedForward(Projection[] inputs, Projection[] output) {}

  /**
   * Feed-forward blocks to choose from.
   *
   * @param router scores of the experts
   * @param gate (feedForwardLength, embeddingLength) of each expert; likewise up
   * @param down (embeddingLength, feedForwardLength) of each expert
   */
  record Experts(
      Projection[] router,
      List<PackedWeights> gate,
      List<PackedWeights> up,
      List<PackedWeights> down) {}
}
