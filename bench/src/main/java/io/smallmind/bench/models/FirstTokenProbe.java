package io.smallmind.bench.models;

import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Session;
import io.smallmind.bench.host.ProcessMemory;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The program of a fresh process: loads a model as anybody would, and says which token comes first
 * as soon as it knows; then, in a second line, the nanoseconds of loading, and the resident bytes
 * after loading and after the token, −1 if unknown.
 */
final class FirstTokenProbe {
  private FirstTokenProbe() {}

  /**
   * Runs.
   *
   * @param args model, backend, number of threads, how weights are held, and the tokens of the
   *     prompt, separated by commas
   */
  public static void main(String[] args) {
    int[] prompt = Stream.of(args[4].split(",")).mapToInt(Integer::parseInt).toArray();
    WeightsHeld held = WeightsHeld.valueOf(args[3]);
    ModelOptions options =
        ModelOptions.defaults()
            .withBackend(args[1])
            .withThreads(Integer.parseInt(args[2]))
            .withPack(held != WeightsHeld.MAPPED)
            .withKeepPacked(held == WeightsHeld.KEPT);
    long begin = System.nanoTime();
    try (LanguageModel model = LanguageModel.load(Path.of(args[0]), options);
        Session session = model.newSession()) {
      long loadNanos = System.nanoTime() - begin;
      long loadedBytes = residentBytes();
      GenerationOptions first =
          GenerationOptions.builder().temperature(0).maxTokens(1).ignoreEnd(true).build();
      GenerationResult result = session.generate(prompt, first, null);
      System.out.println(result.ids()[0]);
      System.out.println(loadNanos + " " + loadedBytes + " " + residentBytes());
    }
  }

  private static long residentBytes() {
    Long bytes = ProcessMemory.residentBytes();
    return bytes == null ? -1 : bytes;
  }
}
