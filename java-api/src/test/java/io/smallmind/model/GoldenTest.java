package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The forward pass against what other implementations computed for trained models. */
class GoldenTest {
  @ParameterizedTest
  @MethodSource("io.smallmind.testing.Backends#names")
  void greedyTokensOfFloatModels(String backend) throws IOException {
    JsonObject golden = read("golden/greedy-llamacpp.json");
    int compared = 0;
    for (JsonElement element : golden.getAsJsonArray("results")) {
      JsonObject result = element.getAsJsonObject();
      String name = result.get("model").getAsString();
      if (name.contains("-Q")) {
        continue; // Other implementations round activations differently there.
      }
      int[] prompt = ids(result.getAsJsonArray("prompt_tokens"));
      int[] expected = ids(result.getAsJsonArray("greedy64"));
      try (GgufFile file = GgufFile.open(TestData.path("models/" + name));
          Model model = load(file, backend)) {
        assertArrayEquals(expected, greedy(model, prompt, expected.length), name);
        compared++;
      }
    }
    assertTrue(compared >= 12, "only " + compared + " prompts compared");
  }

  private static int[] greedy(Model model, int[] prompt, int count) {
    int[] ids = new int[count];
    try (KvCache cache = model.newCache(TensorType.F32, 512);
        Batch batch = model.newBatch(prompt.length, 1)) {
      for (int i = 0; i < prompt.length; i++) {
        batch.add(cache, prompt[i], i == prompt.length - 1);
      }
      for (int i = 0; i < count; i++) {
        assertTrue(model.forward(batch));
        ids[i] = best(batch.logits(0));
        batch.clear();
        batch.add(cache, ids[i], true);
      }
    }
    return ids;
  }

  @ParameterizedTest
  @MethodSource("io.smallmind.testing.Backends#names")
  void logitsOfFloatModels(String backend) throws IOException {
    JsonObject models = read("golden/logits-and-perplexity.json").getAsJsonObject("models");
    int compared = 0;
    for (Map.Entry<String, JsonElement> entry : models.entrySet()) {
      if (!entry.getValue().getAsJsonObject().has("prompts")) {
        continue;
      }
      JsonObject prompts = entry.getValue().getAsJsonObject().getAsJsonObject("prompts");
      for (JsonElement element : prompts.asMap().values()) {
        JsonObject prompt = element.getAsJsonObject();
        try (GgufFile file = GgufFile.open(TestData.path("models/" + entry.getKey()));
            Model model = load(file, backend)) {
          compareLogits(model, prompt);
          compared++;
        }
      }
    }
    assertTrue(compared >= 6, "only " + compared + " prompts compared");
  }

  private static void compareLogits(Model model, JsonObject prompt) {
    int[] ids = ids(prompt.getAsJsonArray("ids"));
    try (KvCache cache = model.newCache(TensorType.F16, 512);
        Batch batch = model.newBatch(ids.length, 1)) {
      for (int i = 0; i < ids.length; i++) {
        batch.add(cache, ids[i], i == ids.length - 1);
      }
      assertTrue(model.forward(batch));
      MemorySegment logits = batch.logits(0);
      JsonArray top = prompt.getAsJsonArray("top10");
      double largest = Math.abs(top.get(0).getAsJsonArray().get(1).getAsDouble());
      for (JsonElement each : top) {
        int id = each.getAsJsonArray().get(0).getAsInt();
        double expected = each.getAsJsonArray().get(1).getAsDouble();
        assertEquals(expected, logits.getAtIndex(JAVA_FLOAT, id), 2e-3 * largest);
      }
      double squares = 0;
      for (int id = 0; id < model.config().vocabularySize(); id++) {
        squares += Math.pow(logits.getAtIndex(JAVA_FLOAT, id), 2);
      }
      double norm = prompt.get("logits_l2").getAsDouble();
      assertEquals(norm, Math.sqrt(squares), 2e-3 * norm);
    }
  }

  @ParameterizedTest
  @MethodSource("io.smallmind.testing.Backends#names")
  void perplexity(String backend) throws IOException {
    JsonObject models = read("golden/logits-and-perplexity.json").getAsJsonObject("models");
    String corpus = Files.readString(TestData.path("corpora/tinystories-1000.txt"));
    String text = corpus.substring(0, corpus.offsetByCodePoints(0, 12_000));
    for (Map.Entry<String, JsonElement> entry : models.entrySet()) {
      String name = entry.getKey();
      double expected = entry.getValue().getAsJsonObject().get("ppl_tinystories").getAsDouble();
      // Activations are rounded where weights are quantized.
      double tolerance = name.contains("-Q") ? 0.01 : 0.001;
      ModelOptions options = ModelOptions.defaults().withBackend(backend);
      try (LanguageModel model = LanguageModel.load(TestData.path("models/" + name), options)) {
        assertEquals(expected, perplexity(model, text, 8, 256), tolerance * expected, name);
      }
    }
    assertTrue(models.size() >= 7, models.size() + " models");
  }

  private static double perplexity(LanguageModel model, String text, int chunks, int context) {
    int[] ids = model.tokenizer().encode(text, false, false);
    int[] chunk = new int[context];
    chunk[0] = model.tokenizer().bosId();
    double sum = 0;
    for (int i = 0; i < chunks; i++) {
      System.arraycopy(ids, i * (context - 1), chunk, 1, context - 1);
      sum += model.negativeLogLikelihood(chunk);
    }
    return Math.exp(sum / (chunks * (context - 1)));
  }

  private static Model load(GgufFile file, String backend) {
    Kernels kernels = KernelRegistry.get().byName(backend);
    return Model.load(file, kernels, Team.shared(), LoadOptions.defaults());
  }

  static int best(MemorySegment logits) {
    int best = 0;
    for (int id = 1; id < logits.byteSize() / 4; id++) {
      if (logits.getAtIndex(JAVA_FLOAT, id) > logits.getAtIndex(JAVA_FLOAT, best)) {
        best = id;
      }
    }
    assertFalse(Float.isNaN(logits.getAtIndex(JAVA_FLOAT, best)));
    return best;
  }

  private static JsonObject read(String path) throws IOException {
    return JsonParser.parseString(Files.readString(TestData.path(path))).getAsJsonObject();
  }

  private static int[] ids(JsonArray array) {
    return array.asList().stream().mapToInt(JsonElement::getAsInt).toArray();
  }
}
