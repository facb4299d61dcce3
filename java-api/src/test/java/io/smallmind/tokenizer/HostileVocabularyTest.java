package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.SmallMindException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufType;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.testing.TestData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts that are long or no texts, and vocabularies that are none. */
class HostileVocabularyTest {
  private static final int LONG = 1 << 20;

  /** Long enough for most texts: a quadratic step would take many seconds here, too. */
  private static final int LESS_LONG = LONG / 4;

  /** Several times what 1 MB takes; a quadratic step would take minutes. */
  private static final double SECONDS = 4;

  @TempDir private Path folder;

  @Execution(ExecutionMode.CONCURRENT)
  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3", "gpt-2", "bert-bge", "qwen2"})
  void longTextsTakeLinearTime(String name) throws IOException {
    byte[] prose = Files.readAllBytes(TestData.path("corpora/tinyshakespeare.txt"));
    List<byte[]> texts = new ArrayList<>(List.of(Arrays.copyOf(prose, LONG)));
    for (String repeated : List.of("a", " ", "\n", "A", "=", "7", "你", "ab", " a", "'", "\u0301")) {
      int length = repeated.equals("a") ? LONG : LESS_LONG;
      String text = repeated.repeat(length / repeated.getBytes(StandardCharsets.UTF_8).length);
      texts.add(text.getBytes(StandardCharsets.UTF_8));
    }
    byte[] noText = new byte[LESS_LONG];
    Arrays.fill(noText, (byte) 0xFF);
    texts.add(noText);
    try (GgufFile file = GgufFile.open(TestData.path("vocab/" + name + ".gguf"))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      var threads = ManagementFactory.getThreadMXBean();
      for (byte[] text : texts) {
        // Time of this thread alone: others may keep the machine busy.
        long before = threads.getCurrentThreadCpuTime();
        int[] ids = tokenizer.encode(text, false, false);
        double seconds = (threads.getCurrentThreadCpuTime() - before) / 1e9;
        String begin = new String(text, 0, 8, StandardCharsets.UTF_8);
        assertTrue(
            seconds < SECONDS * text.length / LONG,
            () -> name + ": " + seconds + " s for " + text.length + " bytes of " + begin);
        if (!name.startsWith("bert")) {
          assertTrue(ids.length > 0, begin);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3", "gpt-2", "qwen2"})
  void bytesComeBackWhateverTheyAre(String name) {
    Random random = new Random(11);
    try (GgufFile file = GgufFile.open(TestData.path("vocab/" + name + ".gguf"))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      boolean prefixed = spaced(tokenizer);
      for (int trial = 0; trial < 300; trial++) {
        byte[] bytes = new byte[1 + random.nextInt(60)];
        random.nextBytes(bytes);
        if (trial % 3 == 0) { // Characters that are cut somewhere.
          byte[] text = "Zoë 你好 😀 naïve".getBytes(StandardCharsets.UTF_8);
          int begin = random.nextInt(text.length);
          bytes = Arrays.copyOfRange(text, begin, begin + random.nextInt(text.length - begin) + 1);
        }
        ByteArrayOutputStream back = new ByteArrayOutputStream();
        for (int id : tokenizer.encode(bytes, false, false)) {
          back.writeBytes(tokenizer.bytes(id));
        }
        byte[] decoded = back.toByteArray();
        assertArrayEquals(
            bytes, prefixed ? Arrays.copyOfRange(decoded, 1, decoded.length) : decoded, name);
      }
    }
  }

  private static boolean spaced(Tokenizer tokenizer) {
    return tokenizer.bytes(tokenizer.encode("a", false, false)[0])[0] == ' ';
  }

  static Stream<Arguments> edits() {
    String prefix = "tokenizer.ggml.";
    return Stream.of(
        edit("no kind", "tokenizer.ggml.model", w -> w.remove(prefix + "model")),
        edit("an unknown kind", "abacus", w -> w.put(prefix + "model", "abacus")),
        edit("a kind that is a number", "tokenizer.ggml.model", w -> w.put(prefix + "model", 7)),
        edit("unknown rules", "abacus", w -> w.put(prefix + "pre", "abacus")),
        edit("no tokens", "tokenizer.ggml.tokens", w -> w.remove(prefix + "tokens")),
        edit("an empty vocabulary", "tokens", w -> strings(w, prefix + "tokens")),
        edit("tokens that are numbers", "tokens", w -> ints(w, prefix + "tokens", 1, 2)),
        edit("one token", "tokens", w -> w.put(prefix + "tokens", "a")),
        edit("two types", "token_type has 2", w -> ints(w, prefix + "token_type", 1, 1)),
        edit("types that are texts", "token_type", w -> strings(w, prefix + "token_type", "a")),
        edit(
            "one score",
            "scores has 1",
            w -> w.put(prefix + "scores", GgufValue.float32s(new float[] {1}))),
        edit("no merges", "merges", w -> w.remove(prefix + "merges")),
        edit("a merge of one", "merges[0]", w -> strings(w, prefix + "merges", "ab")),
        edit("a merge of spaces", "merges[1]", w -> strings(w, prefix + "merges", "a b", "  ")),
        edit("a merge of others", "merges[0]", w -> strings(w, prefix + "merges", "a 你")),
        edit("an id too large", "eos_token_id", w -> w.put(prefix + "eos_token_id", 1 << 20)),
        edit(
            "an id below 0",
            "bos_token_id",
            w -> w.put(prefix + "bos_token_id", GgufValue.integer(GgufType.INT32, -2))),
        edit("an id that is a text", "bos_token_id", w -> w.put(prefix + "bos_token_id", "a")),
        edit("a flag that is a text", "add_bos_token", w -> w.put(prefix + "add_bos_token", "a")));
  }

  private static Arguments edit(String what, String named, Consumer<GgufWriter> change) {
    return Arguments.of(what, named, change);
  }

  private static void strings(GgufWriter writer, String key, String... values) {
    writer.put(key, GgufValue.strings(List.of(values)));
  }

  private static void ints(GgufWriter writer, String key, long... values) {
    writer.put(key, GgufValue.integers(GgufType.INT32, values));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("edits")
  void badVocabulariesAreRefusedByName(String what, String named, Consumer<GgufWriter> change) {
    Path path = folder.resolve("edited.gguf");
    try (GgufFile file = GgufFile.open(TestData.path("vocab/gpt-2.gguf"))) {
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      change.accept(writer);
      writer.write(path);
    }
    try (GgufFile file = GgufFile.open(path)) {
      SmallMindException error =
          assertThrows(SmallMindException.class, () -> Tokenizer.of(file.metadata()));
      assertTrue(error.getMessage().contains(named), error.getMessage());
    }
  }
}
