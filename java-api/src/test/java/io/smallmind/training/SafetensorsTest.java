package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.testing.TestData;
import io.smallmind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  @TempDir private Path folder;

  /** Reads each tensor's values; half-precision brain floats become F32. */
  private static Map<String, float[]> read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) bytes.getLong(0);
    String json = new String(bytes.array(), 8, header, StandardCharsets.UTF_8);
    JsonObject entries = JsonParser.parseString(json).getAsJsonObject();
    Map<String, float[]> tensors = new TreeMap<>();
    for (String name : entries.keySet()) {
      if (name.equals("__metadata__")) {
        continue;
      }
      JsonObject entry = entries.getAsJsonObject(name);
      JsonArray offsets = entry.getAsJsonArray("data_offsets");
      boolean whole = entry.get("dtype").getAsString().equals("F32");
      int begin = 8 + header + offsets.get(0).getAsInt();
      int end = 8 + header + offsets.get(1).getAsInt();
      float[] values = new float[(end - begin) / (whole ? 4 : 2)];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            whole
                ? bytes.getFloat(begin + 4 * i)
                : Float.intBitsToFloat(bytes.getShort(begin + 2 * i) << 16);
      }
      tensors.put(name, values);
    }
    return tensors;
  }

  @Test
  void aPublishedModelComesOutAsItWasPublished() throws IOException {
    Path model = TestData.path("models/tinystories-656k-F32.gguf");
    Path published = TestData.path("models/tinystories-656k.safetensors");
    Path written = folder.resolve("model.safetensors");
    Path text = Files.writeString(folder.resolve("text.txt"), "Once upon a time. ".repeat(50));
    try (GgufFile gguf = GgufFile.open(model);
        TokenData data = TokenData.encode(List.of(text), Tokenizer.of(gguf.metadata()));
        Team team = new Team(1);
        Trainer trainer =
            new Trainer(
                NetworkConfig.of(gguf),
                Texts.options().build(),
                Map.of(),
                null,
                data,
                KernelRegistry.get().choose(),
                team)) {
      trainer.load(gguf);
      Safetensors.write(trainer, written);
    }
    Map<String, float[]> expected = read(published);
    Map<String, float[]> found = read(written);
    // Tied: it has them under the other name only.
    expected.put("model.embed_tokens.weight", expected.remove("lm_head.weight"));
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, values) -> assertTrue(java.util.Arrays.equals(values, found.get(name)), name));
  }

  @Test
  void gpt2HasItsMatricesTransposed() throws IOException {
    Texts texts = new Texts(folder, 100);
    Path written = folder.resolve("model.safetensors");
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer trainer =
            texts.trainer(Architecture.GPT2, Texts.options().build(), null, data, team)) {
      Safetensors.write(trainer, written);
      Map<String, float[]> found = read(written);
      Parameter weight = trainer.network.parameters.get("blk.1.ffn_up.weight");
      float[] turned = found.getOrDefault("h.1.mlp.c_fc.weight", new float[0]);
      for (int row = 0; row < weight.rows(); row++) {
        for (int column = 0; column < weight.columns(); column++) {
          long at = (long) row * weight.columns() + column;
          float value = weight.value.getAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, at);
          assertEquals(value, turned[column * weight.rows() + row]);
        }
      }
      assertEquals(2 * 12 + 4, found.size());
    }
  }
}
