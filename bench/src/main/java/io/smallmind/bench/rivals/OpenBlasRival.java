package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.util.List;

/** OpenBLAS as JavaCPP's preset brings it. */
final class OpenBlasRival extends JavaRival {
  OpenBlasRival(RivalSettings rivals) {
    super(rivals, "OpenBLAS", "OpenBlas", coordinates());
  }

  private static List<String> coordinates() {
    String openblas = "org.bytedeco:openblas:" + Versions.of("openblas");
    String platform = MavenPackages.platform();
    return List.of(
        openblas,
        openblas + ":" + platform,
        "org.bytedeco:javacpp:" + Versions.of("javacpp") + ":" + platform);
  }

  @Override
  String description() {
    return "OpenBLAS " + Versions.of("openblas") + " of JavaCPP's presets, its own threads";
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
