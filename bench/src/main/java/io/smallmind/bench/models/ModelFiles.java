package io.smallmind.bench.models;

import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.convert.SyntheticModel;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Synthetic models on disk: written once, found again by every later run. */
public final class ModelFiles {
  /** Names files, so that another generation of them is not mistaken for this one. */
  private static final String GENERATION = "1";

  private static final long SEED = 1;

  private ModelFiles() {}

  /** Returns the usual folder for what the bench fetches and makes. */
  public static Path standardFolder() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base =
        cache == null || cache.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return base.resolve("smallmind-bench");
  }

  /**
   * Returns the file of a shape and mix, written if it is not there.
   *
   * @param folder made if it is not there
   * @throws IOException if the folder can't be made or the file not be moved into its place
   * @throws io.smallmind.error.FileWriteException if there is no room for the file
   */
  public static ModelFile synthetic(Path folder, ModelShape shape, QuantizationMix mix)
      throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve(shape.name() + "-" + mix + "-" + GENERATION + ".gguf");
    if (!Files.exists(file)) {
      Path unfinished = Files.createTempFile(folder, shape.name(), ".part");
      try {
        SyntheticModel.write(
            unfinished, shape, mix, SEED, false, Team.shared(), (done, total, name) -> {});
        Files.move(unfinished, file);
      } finally {
        Files.deleteIfExists(unfinished);
      }
    }
    return ModelFile.of(file, shape.name(), mix.name());
  }
}
