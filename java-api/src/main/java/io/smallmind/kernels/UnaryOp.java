package io.smallmind.kernels;

/** A function of one value. */
public enum UnaryOp {
  /** max(x, 0); NaN stays NaN. */
  RELU,
  /** x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) (Hendrycks and Gimpel 2016). */
  GELU_TANH,
  /** x/2 · (1 + erf(x/√2)). */
  GELU_ERF,
  /** x · sigmoid(x). */
  SILU,
  /** 1 / (1 + exp(−x)). */
  SIGMOID,
  /** tanh(x). */
  TANH
}
