package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.util.List;

/** The straightforward loops over the Vector API: the floor of what uses it. */
final class PlainVectors extends JavaRival {
  PlainVectors(RivalSettings rivals) {
    super(rivals, "plain Vector API", "PlainVectors", List.of());
  }

  @Override
  String description() {
    return "loops over FloatVector without blocking, on this JVM";
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
