package io.smallmind.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Pooling;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.testing.Backends;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Vectors of texts, against those of the plain reference. */
class EmbeddingTest {
  /** The token at the beginning, and a letter each. */
  private static final int[] IDS = {0, 17, 8, 8, 39, 1, 21, 5, 30, 11, 2, 19, 7, 33, 25};

  /** So few that a text takes several passes. */
  private static final int BATCH_ROWS = 4;

  @TempDir private Path folder;

  static Stream<Arguments> cases() {
    return Backends.names().stream()
        .flatMap(
            backend ->
                Stream.of("llama", "qwen2", "gemma2", "gpt2")
                    .map(architecture -> Arguments.of(backend, architecture)));
  }

  private static ReferenceTraits traits(String architecture) {
    ReferenceTraits traits = new ReferenceTraits();
    traits.architecture = architecture;
    traits.halfCache = true;
    traits.halves = !architecture.equals("llama");
    switch (architecture) {
      case "qwen2" -> traits.biases = true;
      case "gemma2" -> {
        traits.postNorms = true;
        traits.gelu = true;
        traits.scaledEmbeddings = true;
        traits.tied = true;
        traits.window = 4;
        traits.pattern = 2;
      }
      case "gpt2" -> {
        traits.fused = true;
        traits.kvHeads = traits.heads;
        traits.layerNorm = true;
        traits.biases = true;
        traits.gated = false;
        traits.gelu = true;
        traits.learnedPositions = true;
        traits.tied = true;
      }
      default -> {}
    }
    return traits;
  }

  /** Returns the letter that is a token. */
  private static String letter(int id) {
    return Character.toString('\u4e00' + id);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void everyPoolingAgreesWithTheReference(String backend, String architecture) {
    ReferenceTraits traits = traits(architecture);
    ReferenceModel reference = new ReferenceModel(traits, architecture.hashCode());
    Path path = folder.resolve("model.gguf");
    List<String> letters =
        IntStream.range(0, traits.vocabulary).mapToObj(EmbeddingTest::letter).toList();
    reference.write(
        path,
        new GgufWriter()
            .put("tokenizer.ggml.model", "llama")
            .put("tokenizer.ggml.tokens", GgufValue.strings(letters))
            .put("tokenizer.ggml.bos_token_id", IDS[0])
            .put("tokenizer.ggml.add_space_prefix", false));
    StringBuilder text = new StringBuilder();
    IntStream.of(IDS).skip(1).forEach(id -> text.append(letter(id)));
    double[][] vectors = reference.embeddings(IDS);
    ModelOptions options =
        ModelOptions.defaults().withBackend(backend).withThreads(2).withBatchRows(BATCH_ROWS);
    try (LanguageModel model = LanguageModel.load(path, options)) {
      assertArrayEquals(IDS, model.tokenizer().encode(text.toString(), true, false));
      for (Pooling pooling : Pooling.values()) {
        double[] expected = unit(pooled(vectors, pooling));
        float[] actual = model.embed(text.toString(), pooling);
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < actual.length; i++) {
          assertEquals(expected[i], actual[i], bound(traits), pooling + ", value " + i);
        }
      }
    }
  }

  private static double[] pooled(double[][] vectors, Pooling pooling) {
    return switch (pooling) {
      case MEAN -> {
        double[] mean = new double[vectors[0].length];
        for (double[] vector : vectors) {
          for (int i = 0; i < mean.length; i++) {
            mean[i] += vector[i] / vectors.length;
          }
        }
        yield mean;
      }
      case LAST -> vectors[vectors.length - 1];
      case CLS -> vectors[0];
    };
  }

  private static double[] unit(double[] vector) {
    double squares = 0;
    for (double value : vector) {
      squares += value * value;
    }
    double length = Math.sqrt(squares);
    return Arrays.stream(vector).map(value -> value / length).toArray();
  }

  /**
   * F32 is as good as exact here, but a key or value that lies between two steps of F16 may fall to
   * the other one, 2^-10 of it. If all of them fell, it would be noise of one step for the keys and
   * one for the values of each layer, and independent noise adds by squares. No value of a vector
   * of length 1 is larger than 1.
   */
  private static double bound(ReferenceTraits traits) {
    return Math.sqrt(2 * traits.layers) * 0x1p-10;
  }
}
