package io.smallmind.bench.rivals;

import io.smallmind.bench.formats.SafetensorsFolder;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Jlama: another engine on the JVM, with kernels of the Vector API and native ones. */
final class Jlama extends JavaRival implements ModelRival {
  /** So many slices of rows are fed to its native loops; those left over are left out. */
  private static final int SLICES = 128;

  /** Of longer slices, some products with several rows of activations are left out. */
  private static final int LONGEST_SLICE = 4;

  private static final String WITHOUT_NATIVE = "-Djlama.force_panama_tensor_operations=true";

  /** Activations in blocks of 32, rounded to 8 bits, and weights once more. */
  private static final double INT8 = 0.006;

  private final Path models;

  Jlama(RivalSettings rivals) {
    super(rivals, "Jlama", "Jlama", coordinates());
    models = rivals.folder().resolve("models");
  }

  private static List<String> coordinates() {
    String version = Versions.of("jlama");
    String platform = MavenPackages.platform().replace("-arm64", "-aarch_64");
    return List.of(
        "com.github.tjake:jlama-core:" + version,
        "com.github.tjake:jlama-native:" + version + ":" + platform);
  }

  @Override
  String description() {
    return "Jlama "
        + Versions.of("jlama")
        + " with jlama-native, or the Vector API where that is wrong: F32, and its"
        + " Q4 with 8-bit activations; models in F32";
  }

  @Override
  public boolean multiplies(TensorType type) {
    return type == TensorType.F32 || type == TensorType.Q4_0;
  }

  @Override
  public double noise(TensorType type) {
    return type == TensorType.F32 ? 0 : INT8;
  }

  @Override
  public MatmulEngine openMatmul(Product product, int threads) throws IOException {
    LineProcess process = start(threads, options(product.m() > 1, product.n()));
    return MatmulEngine.prepare(process, product, threads, Map.of());
  }

  private static List<String> options(boolean several, long... rows) {
    boolean right =
        Arrays.stream(rows)
            .allMatch(
                count -> count % SLICES == 0 && (!several || count / SLICES <= LONGEST_SLICE));
    return right ? List.of() : List.of(WITHOUT_NATIVE);
  }

  @Override
  public String refuses(String type) {
    return type.equals("F32") ? "" : "runs models in F32 here";
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    Path folder = SafetensorsFolder.of(setup.model(), models);
    LineProcess process =
        start(setup.threads(), options(true, SafetensorsFolder.rows(setup.model())));
    return LineModelEngine.load(process, folder, setup);
  }
}
