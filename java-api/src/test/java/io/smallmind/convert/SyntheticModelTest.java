package io.smallmind.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Team;
import io.smallmind.model.ModelConfig;
import io.smallmind.model.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SyntheticModelTest {
  private static final String TEXT = "Hello, world: naïve 日本";

  @TempDir private Path folder;

  static Stream<String> smallShapes() {
    return ModelShape.ALL.stream()
        .map(ModelShape::name)
        .filter(name -> name.startsWith("tiny-") || name.startsWith("smallmind-"));
  }

  @ParameterizedTest
  @MethodSource("smallShapes")
  void loadsAndRuns(String name) {
    Path path = write(name, QuantizationMix.Q4_K_M, 1, false);
    try (LanguageModel model = LanguageModel.load(path);
        var session = model.newSession()) {
      var result =
          session.generate(
              "a",
              GenerationOptions.builder()
                  .temperature(0)
                  .maxTokens(2)
                  .ignoreEnd(true)
                  .logProbabilities(0)
                  .build());
      assertEquals(2, result.ids().length);
      assertTrue(Float.isFinite(result.logProbabilities().getFirst().logProbability()));
    }
  }

  @Test
  void tokenizesEveryText() {
    Path path = write("tiny-llama", QuantizationMix.Q8_0, 1, false);
    try (LanguageModel model = LanguageModel.load(path)) {
      int[] ids = model.tokenizer().encode(TEXT, false, false);
      assertEquals(TEXT, model.tokenizer().decode(ids).strip());
    }
  }

  @Test
  void sameSeedSameFile() throws IOException {
    byte[] first = Files.readAllBytes(write("tiny-qwen3", QuantizationMix.Q4_0, 7, false));
    byte[] again = Files.readAllBytes(write("tiny-qwen3", QuantizationMix.Q4_0, 7, false));
    byte[] other = Files.readAllBytes(write("tiny-qwen3", QuantizationMix.Q4_0, 8, false));
    assertTrue(java.util.Arrays.equals(first, again));
    assertTrue(!java.util.Arrays.equals(first, other));
  }

  @Test
  void largeSparseFilesOpenAtOnce() throws IOException {
    Path path = write("llama3-70b", QuantizationMix.Q4_0, 1, true);
    try (GgufFile file = GgufFile.open(path)) {
      assertTrue(file.size() > 39_000_000_000L);
      assertEquals(80, ModelConfig.of(file).layers());
      assertEquals(
          0,
          file.data(file.tensor("blk.79.ffn_down.weight"))
              .get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0));
    } finally {
      Files.delete(path);
    }
  }

  private Path write(String name, QuantizationMix mix, long seed, boolean sparse) {
    Path path = folder.resolve(name + ".gguf");
    SyntheticModel.write(
        path, ModelShape.byName(name), mix, seed, sparse, Team.shared(), ProgressListener.none());
    return path;
  }
}
