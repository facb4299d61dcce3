package io.smallmind.bench.rivals;

import java.nio.file.Path;
import java.util.List;

/** All rivals that the bench knows. */
public final class Rivals {
  private Rivals() {}

  /**
   * Returns them, installed or not.
   *
   * @param folder where they are installed
   */
  public static List<Rival> in(Path folder) {
    return List.of(
        new NaiveJava(folder),
        new PlainVectors(folder),
        new OpenBlasRival(folder),
        new Mkl(folder),
        new OnnxRuntime(folder),
        new PyTorch(folder),
        new TransformersJs(folder),
        new Jlama(folder),
        new TfLite(folder),
        new NodeLlamaCpp(folder));
  }
}
