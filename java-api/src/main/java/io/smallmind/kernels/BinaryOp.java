package io.smallmind.kernels;

/** A function of two values. */
public enum BinaryOp {
  /** a + b. */
  ADD,
  /** a · b. */
  MULTIPLY
}
