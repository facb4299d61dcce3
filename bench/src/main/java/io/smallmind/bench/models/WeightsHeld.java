package io.smallmind.bench.models;

import io.smallmind.bench.measure.Condition;
import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.TensorType;
import java.util.stream.Stream;

/** How a model's weights are held. */
enum WeightsHeld {
  /** In the backend's layout, in memory of their own. */
  PACKED,

  /** In the backend's layout, in a file beside the model, which is mapped. */
  KEPT,

  /** As the model's file has them, which is mapped. */
  MAPPED;

  private static final long LONGEST_BLOCK = 256;

  /** Tells whether a backend can hold them so: one that packs nothing keeps nothing. */
  boolean isPossible(Kernels kernels) {
    return this != KEPT
        || Stream.of(TensorType.values())
            .anyMatch(type -> kernels.packedBytes(type, 1, LONGEST_BLOCK) > 0);
  }

  /** Returns how a contestant in a condition holds them. */
  static WeightsHeld in(String condition) {
    return switch (condition) {
      case Condition.KEPT -> KEPT;
      case Condition.MAPPED -> MAPPED;
      default -> PACKED;
    };
  }
}
