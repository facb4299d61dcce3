package io.smallmind.bench.rivals;

import java.util.List;

/** All rivals that the bench knows. */
public final class Rivals {
  private Rivals() {}

  /**
   * Returns them, installed or not.
   *
   * @param settings where they are installed, and how long they may take
   */
  public static List<Rival> all(RivalSettings settings) {
    return List.of(
        new NaiveJava(settings),
        new PlainVectors(settings),
        new OpenBlasRival(settings),
        new Mkl(settings),
        new OnnxRuntime(settings),
        new PyTorch(settings),
        new TransformersJs(settings),
        new Jlama(settings),
        new TfLite(settings),
        new Ggml(settings),
        new NodeLlamaCpp(settings));
  }
}
