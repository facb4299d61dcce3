package io.smallmind.bench.rivals;

import io.smallmind.bench.formats.SafetensorsFolder;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** PyTorch's CPU build as JavaCPP's preset brings it, with OpenBLAS below. */
final class PyTorch extends JavaRival implements ModelRival, TrainingRival {
  private static final Set<TensorType> TYPES =
      Set.of(TensorType.F32, TensorType.Q4_0, TensorType.Q8_0);

  /** Activations and results in bfloat16. */
  private static final double BFLOAT16 = 0.004;

  /** Activations and weights in 8 bits of one step each, of which instructions may need one. */
  private static final double INT8 = 0.01;

  private final Path models;

  PyTorch(RivalSettings rivals) {
    super(rivals, "PyTorch", "PyTorch", coordinates());
    models = rivals.folder().resolve("models");
  }

  private static List<String> coordinates() {
    String platform = ":" + MavenPackages.platform();
    String pytorch = "org.bytedeco:pytorch:" + Versions.of("pytorch");
    String openblas = "org.bytedeco:openblas:" + Versions.of("openblas");
    return List.of(
        pytorch,
        pytorch + platform,
        openblas + platform,
        "org.bytedeco:javacpp:" + Versions.of("javacpp") + platform);
  }

  @Override
  String description() {
    return "PyTorch "
        + Versions.of("pytorch")
        + " of JavaCPP's presets: F32 by its BLAS; Q4_0 by _weight_int4pack_mm_for_cpu in"
        + " bfloat16; Q8_0 by FBGEMM's dynamically quantized linear; models in F32";
  }

  /** Its threads and those of its BLAS would keep each other from work while they wait busily. */
  @Override
  Map<String, String> environment() {
    return Map.of("OPENBLAS_THREAD_TIMEOUT", "4", "OMP_WAIT_POLICY", "passive");
  }

  @Override
  public boolean multiplies(TensorType type) {
    return TYPES.contains(type);
  }

  @Override
  public double noise(TensorType type) {
    return type == TensorType.F32 ? 0 : type == TensorType.Q4_0 ? BFLOAT16 : INT8;
  }

  @Override
  public String refuses(String type) {
    return type.equals("F32") ? "" : "runs models in F32 here";
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    Path folder = SafetensorsFolder.of(setup.model(), models);
    return LineModelEngine.load(start(setup.threads()), folder, setup);
  }

  @Override
  public TrainingEngine openTraining(Network network) throws IOException {
    // A training step is several times slower when its threads give way.
    return TrainingEngine.make(start(network.threads(), List.of(), Map.of()), network);
  }
}
