package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.util.List;

/** Three loops in plain Java: the floor. */
final class NaiveJava extends JavaRival {
  NaiveJava(RivalSettings rivals) {
    super(rivals, "naive Java", "NaiveJava", List.of());
  }

  @Override
  String description() {
    return "three loops over float arrays, on this JVM";
  }

  @Override
  public boolean multiplies(TensorType type) {
    return type == TensorType.F32;
  }

  @Override
  public double noise(TensorType type) {
    return 0;
  }
}
