package io.smallmind.training;

import java.lang.foreign.MemorySegment;

/**
 * A weight that is trained, or a frozen one: (rows, columns) F32 row-major, as model files have it,
 * with its gradient.
 */
final class Parameter {
  /** What is known of a weight before there is memory for it. */
  record Spec(String name, int rows, int columns, float deviation, float mean, boolean decays) {
    /** A matrix of normally distributed values, which decays. */
    static Spec matrix(String name, int rows, int columns, double deviation) {
      return new Spec(name, rows, columns, (float) deviation, 0, true);
    }

    /** A vector of equal values, which doesn't decay: a bias, or the weights of a norm. */
    static Spec vector(String name, int columns, float value) {
      return new Spec(name, 1, columns, 0, value, false);
    }

    long length() {
      return (long) rows * columns;
    }
  }

  final Spec spec;
  final MemorySegment value;

  /** Added up over the batches of a step; {@link MemorySegment#NULL} if this is frozen. */
  final MemorySegment gradient;

  Parameter(Spec spec, MemorySegment value, MemorySegment gradient) {
    this.spec = spec;
    this.value = value;
    this.gradient = gradient;
  }

  String name() {
    return spec.name();
  }

  int rows() {
    return spec.rows();
  }

  int columns() {
    return spec.columns();
  }

  boolean isFrozen() {
    return gradient == MemorySegment.NULL;
  }
}
