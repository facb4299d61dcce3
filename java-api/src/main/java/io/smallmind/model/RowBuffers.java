package io.smallmind.model;

import io.smallmind.kernels.Activations;
import io.smallmind.tensor.Matrix;

/**
 * The buffers that rows pass through between the projections of a forward pass. Members that share
 * out the rows use the same ones; members that each work on all rows have their own.
 *
 * @param stream (rows, embeddingLength): the residual stream
 * @param normed (rows, embeddingLength): normalised for the next projection
 * @param attended (rows, queryLength): what attention found, whose F32 values all members share
 * @param gate (rows, feedForwardLength): what goes to a feed-forward block's last projection, whose
 *     F32 values all members share
 * @param outputs (outputs, embeddingLength): the last layer's rows, normalised
 * @param rope (rows, rope dimensions): cosines and sines of each row's position
 * @param localRope likewise on local layers
 */
record RowBuffers(
    Matrix stream,
    Activations normed,
    Activations attended,
    Activations gate,
    Activations outputs,
    Matrix rope,
    Matrix localRope) {}
