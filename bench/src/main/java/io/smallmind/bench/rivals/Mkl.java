package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.util.List;

/** Intel's MKL as JavaCPP's preset redistributes it. */
final class Mkl extends JavaRival {
  Mkl(RivalSettings rivals) {
    super(rivals, "MKL", "Mkl", coordinates());
  }

  private static List<String> coordinates() {
    String mkl = "org.bytedeco:mkl:" + Versions.of("mkl");
    String platform = MavenPackages.platform();
    return List.of(
        mkl,
        mkl + ":" + platform,
        mkl + ":" + platform + "-redist",
        "org.bytedeco:javacpp:" + Versions.of("javacpp") + ":" + platform);
  }

  @Override
  public String missing() {
    return MavenPackages.platform().endsWith("x86_64")
        ? super.missing()
        : "there is no MKL for " + MavenPackages.platform();
  }

  @Override
  String description() {
    return "MKL " + Versions.of("mkl") + " of JavaCPP's presets, its own threads";
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
