package io.smallmind.bench.models;

import io.smallmind.bench.measure.Condition;

/** How a model's weights are held. */
enum WeightsHeld {
  /** In the backend's layout, in memory of their own. */
  PACKED,

  /** In the backend's layout, in a file beside the model, which is mapped. */
  KEPT,

  /** As the model's file has them, which is mapped. */
  MAPPED;

  /** Returns how a contestant in a condition holds them. */
  static WeightsHeld in(String condition) {
    return switch (condition) {
      case Condition.KEPT -> KEPT;
      case Condition.MAPPED -> MAPPED;
      default -> PACKED;
    };
  }
}
