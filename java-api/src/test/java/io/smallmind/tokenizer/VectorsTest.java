package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.gguf.GgufFile;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every text of every published vocabulary test. */
class VectorsTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3", "gpt-2", "bert-bge", "qwen2"})
  void givesTheExpectedIdsAndDecodesBack(String name) throws IOException {
    List<String> texts =
        Arrays.asList(
            Files.readString(TestData.path("vocab/" + name + ".inp"))
                .split("\n__ggml_vocab_test__\n", -1));
    List<String> lines = Files.readAllLines(TestData.path("vocab/" + name + ".out"));
    assertEquals(47, texts.size());
    try (GgufFile file = GgufFile.open(TestData.path("vocab/" + name + ".gguf"))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      for (int i = 0; i < texts.size(); i++) {
        String line = i < lines.size() ? lines.get(i).strip() : "";
        int[] expected =
            line.isEmpty()
                ? new int[0]
                : Arrays.stream(line.split("\\s+")).mapToInt(Integer::parseInt).toArray();
        String text = texts.get(i);
        assertArrayEquals(
            expected, tokenizer.encode(text, false, false), name + ": '" + text + "'");
        if (!name.startsWith("bert")) { // Lower-cases and drops accents.
          assertEquals(text, tokenizer.decode(expected), name);
          StreamingDecoder decoder = tokenizer.newDecoder();
          StringBuilder streamed = new StringBuilder();
          for (int id : expected) {
            streamed.append(decoder.accept(id));
          }
          streamed.append(decoder.finish());
          boolean prefixed = name.equals("llama-spm") || name.equals("phi-3");
          assertEquals(prefixed && !text.isEmpty() ? " " + text : text, streamed.toString(), name);
          assertArrayEquals(
              text.getBytes(StandardCharsets.UTF_8),
              tokenizer.decode(expected).getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }
}
