package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.testing.TestData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  private static final String STORIES = "models/stories260K.gguf";

  @TempDir private Path folder;

  /** What a command gave. */
  private record Outcome(int code, String out, String err) {
    JsonObject json() {
      assertEquals(0, code, err);
      assertEquals(1, out.lines().count(), out);
      return JsonParser.parseString(out).getAsJsonObject();
    }

    void failsWith(int expected) {
      assertEquals(expected, code, out + err);
      assertEquals("", out);
      assertEquals(1, err.lines().count(), err);
      assertTrue(err.startsWith("error: "), err);
    }
  }

  private static Outcome run(String... args) {
    return run(new byte[0], args);
  }

  private static Outcome run(byte[] in, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Main.run(
            args,
            new ByteArrayInputStream(in),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    return new Outcome(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static String data(String relative) {
    return TestData.path(relative).toString();
  }

  @Test
  void greedyIdsAreGolden() throws IOException {
    JsonObject golden = parse("golden/greedy-llamacpp.json").getAsJsonObject();
    int compared = 0;
    for (JsonElement element : golden.getAsJsonArray("results")) {
      JsonObject one = element.getAsJsonObject();
      String model = one.get("model").getAsString();
      if (!model.equals("stories260K.gguf") && !model.equals("tinystories-656k-F16.gguf")) {
        continue;
      }
      JsonArray expected = one.getAsJsonArray("greedy64");
      JsonObject json =
          run(
                  "generate",
                  "--model",
                  data("models/" + model),
                  "--prompt",
                  one.get("prompt").getAsString(),
                  "--max-tokens",
                  "" + expected.size(),
                  "--temperature",
                  "0",
                  "--json")
              .json();
      assertEquals(expected, json.getAsJsonArray("ids"), model);
      assertEquals(one.getAsJsonArray("prompt_tokens"), json.getAsJsonArray("promptIds"));
      assertEquals("length", json.get("finishReason").getAsString());
      for (String key : List.of("text", "usage", "timings", "backend")) {
        assertTrue(json.has(key), key);
      }
      compared++;
    }
    assertTrue(compared > 0);
  }

  @Test
  void streamedTextIsTheSame() {
    String model = data(STORIES);
    String[] args = {"generate", "--model", model, "--prompt", "Once", "-n", "9", "-t", "0"};
    Outcome streamed = run(args);
    assertEquals("", streamed.err());
    String[] json = java.util.Arrays.copyOf(args, args.length + 1);
    json[args.length] = "--json";
    assertEquals(run(json).json().get("text").getAsString() + "\n", streamed.out());
  }

  @Test
  void keptWeightsGiveTheSameText() throws IOException {
    Path model = Files.copy(Path.of(data(STORIES)), folder.resolve("kept.gguf"));
    String[] args = {"generate", "-m", model.toString(), "-p", "Once", "-n", "9", "-t", "0", ""};
    args[args.length - 1] = "--ignore-end";
    String text = run(args).out();
    args[args.length - 1] = "--keep-packed";
    List<Object> written = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Outcome kept = run(args);
      assertEquals("", kept.err());
      assertEquals(text, kept.out());
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(each -> each.toString().endsWith(".packed")).toList()) {
          written.add(Files.getLastModifiedTime(file));
        }
      }
    }
    assertEquals(2, written.size());
    assertEquals(written.getFirst(), written.getLast());
    String[] both = java.util.Arrays.copyOf(args, args.length + 1);
    both[args.length] = "--no-pack";
    run(both).failsWith(Main.USAGE);
  }

  @Test
  void textKeepsToAGrammarOrSchema() throws IOException {
    Path grammar = Files.writeString(folder.resolve("g.gbnf"), "root ::= \" \"? [0-9]{3} \"!\"");
    Path schema = Files.writeString(folder.resolve("s.json"), "{\"enum\": [\"red\", \"green\"]}");
    String[] args = {
      "generate", "-m", data(STORIES), "-p", "Once", "--json", "--ignore-end", "", ""
    };
    args[args.length - 2] = "--grammar";
    args[args.length - 1] = grammar.toString();
    JsonObject json = run(args).json();
    assertTrue(json.get("text").getAsString().matches(" ?[0-9]{3}!"), json.toString());
    assertEquals("end", json.get("finishReason").getAsString());
    args[args.length - 2] = "--json-schema";
    args[args.length - 1] = schema.toString();
    json = run(args).json();
    assertTrue(json.get("text").getAsString().matches("\"(red|green)\""), json.toString());
    Outcome chat =
        run(
            "Hi\n".getBytes(StandardCharsets.UTF_8),
            "chat",
            "-m",
            data(STORIES),
            "--json-schema",
            schema.toString());
    assertTrue(chat.out().matches("\"(red|green)\"\\R"), chat.out());

    String[] generate = {"generate", "-m", data(STORIES), "--grammar", grammar.toString()};
    run(generate[0], "-m", generate[2], "--grammar", schema.toString()).failsWith(Main.USAGE);
    run(generate[0], "-m", generate[2], "--json-schema", grammar.toString()).failsWith(Main.USAGE);
    run(generate[0], "-m", generate[2], "--grammar", "absent").failsWith(Main.FAILED);
    String[] both = java.util.Arrays.copyOf(generate, 7);
    both[5] = "--json-schema";
    both[6] = schema.toString();
    run(both).failsWith(Main.USAGE);
  }

  @ParameterizedTest
  @CsvSource({
    "stories260K.gguf, 0.001",
    "tinystories-656k-F32.gguf, 0.001",
    "tinystories-656k-F16.gguf, 0.001",
    "tinystories-656k-Q8_0.gguf, 0.01",
    "stories260K-Q4_0.gguf, 0.01"
  })
  void perplexityIsGolden(String model, double tolerance) throws IOException {
    double expected =
        parse("golden/logits-and-perplexity.json")
            .getAsJsonObject()
            .getAsJsonObject("models")
            .getAsJsonObject(model)
            .get("ppl_tinystories")
            .getAsDouble();
    JsonObject json =
        run(
                "perplexity",
                "--model",
                data("models/" + model),
                "--file",
                data("corpora/tinystories-1000.txt"),
                "--chars",
                "12000",
                "--context",
                "256",
                "--chunks",
                "8",
                "--json")
            .json();
    assertEquals(expected, json.get("perplexity").getAsDouble(), tolerance * expected);
    assertEquals(8 * 255, json.get("tokens").getAsInt());
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2", "bert-bge"})
  void tokenizesVocabularies(String name) throws IOException {
    String[] texts =
        Files.readString(TestData.path("vocab/" + name + ".inp"))
            .split("\n__ggml_vocab_test__\n", -1);
    List<String> expected = Files.readAllLines(TestData.path("vocab/" + name + ".out"));
    for (int i = 0; i < 6; i++) {
      JsonObject json =
          run(
                  texts[i].getBytes(StandardCharsets.UTF_8),
                  "tokenize",
                  "--model",
                  data("vocab/" + name + ".gguf"),
                  "--json",
                  "--no-bos")
              .json();
      StringBuilder ids = new StringBuilder();
      json.getAsJsonArray("ids").forEach(id -> ids.append(' ').append(id));
      assertEquals(expected.get(i).strip(), ids.toString().strip(), name + " " + i);
    }
  }

  @Test
  void tokenizesByteForByte() {
    byte[] broken = {'a', (byte) 0xFF, '\n'};
    String model = data(STORIES);
    JsonArray with =
        run(broken, "tokenize", "--model", model, "--json").json().getAsJsonArray("ids");
    JsonArray without =
        run(broken, "tokenize", "--model", model, "--json", "--no-bos")
            .json()
            .getAsJsonArray("ids");
    assertEquals(1, with.get(0).getAsInt());
    assertEquals(with.size() - 1, without.size());
    assertEquals(3 + 255, without.get(without.size() - 2).getAsInt());
  }

  @Test
  void inspectsAndEmbeds() {
    JsonObject file = run("inspect", data(STORIES), "--json").json();
    assertEquals("llama", file.get("architecture").getAsString());
    assertEquals(48, file.getAsJsonArray("tensors").size());
    assertTrue(file.getAsJsonObject("memory").get("cacheBytes").getAsLong() > 0);
    JsonObject vectors =
        run("a\nb\n".getBytes(StandardCharsets.UTF_8), "embed", "--model", data(STORIES), "--json")
            .json();
    assertEquals(2, vectors.getAsJsonArray("embeddings").size());
    assertEquals(64, vectors.getAsJsonArray("embeddings").get(0).getAsJsonArray().size());
  }

  @Test
  void doctorNamesBackends() {
    JsonObject json = run("doctor", "--json", "--backend", "scalar").json();
    assertEquals("scalar", json.get("backend").getAsString());
    assertFalse(json.getAsJsonArray("backends").isEmpty());
    assertEquals(0, run("doctor").code());
  }

  @Test
  void chatsThroughAPipe() {
    Outcome outcome =
        run("Hi\n/exit\n".getBytes(StandardCharsets.UTF_8), "chat", "-m", data(STORIES), "-n", "5");
    assertEquals(0, outcome.code(), outcome.err());
    assertFalse(outcome.out().isBlank());
  }

  @Test
  void aLongTalkForgetsItsBeginning() {
    String talk = "Tell me of a big red ball\n".repeat(12);
    Outcome outcome =
        run(
            talk.getBytes(StandardCharsets.UTF_8),
            "chat",
            "-m",
            data(STORIES),
            "-n",
            "20",
            "--context",
            "96");
    assertEquals(0, outcome.code(), outcome.err());
    run(
            ("word ".repeat(200) + "\n").getBytes(StandardCharsets.UTF_8),
            "chat",
            "-m",
            data(STORIES),
            "-c",
            "96")
        .failsWith(Main.FAILED);
  }

  @Test
  void synthesizesAndQuantizes() {
    String made = folder.resolve("made.gguf").toString();
    String small = folder.resolve("small.gguf").toString();
    run("synth", "tiny-llama", made, "--type", "F16", "--json").json();
    JsonObject json = run("quantize", made, small, "--type", "Q4_K_M", "--json").json();
    assertTrue(json.get("bytesAfter").getAsLong() < json.get("bytesBefore").getAsLong() / 2);
    run(
            "generate",
            "-m",
            small,
            "-p",
            "a",
            "-n",
            "2",
            "--ignore-end",
            "--json",
            "--threads",
            "1",
            "--backend",
            "scalar")
        .json();
  }

  @Test
  void wrongUsageIsTwo() {
    run().failsWith(Main.USAGE);
    run("sing").failsWith(Main.USAGE);
    for (String command :
        List.of(
            "generate",
            "chat",
            "inspect",
            "tokenize",
            "quantize",
            "perplexity",
            "embed",
            "synth",
            "doctor")) {
      run(command, "--no-such-option").failsWith(Main.USAGE);
    }
    run("doctor", "--backend", "abacus").failsWith(Main.USAGE);
    run("doctor", "--threads", "0").failsWith(Main.USAGE);
    run("doctor", "--threads", "many").failsWith(Main.USAGE);
    run("synth", "no-shape", folder.resolve("x").toString()).failsWith(Main.USAGE);
    run("synth", "tiny-llama").failsWith(Main.USAGE);
    String model = data(STORIES);
    run("generate", "-m", model, "--top-p", "7").failsWith(Main.USAGE);
    run("quantize", model, folder.resolve("x").toString(), "--type", "Q9").failsWith(Main.USAGE);
    run("perplexity", "-m", model, "-f", model, "--context", "1").failsWith(Main.USAGE);
  }

  @Test
  void failuresAreOne() {
    String model = data(STORIES);
    run("perplexity", "-m", model, "-f", "absent.txt").failsWith(Main.FAILED);
    run("quantize", model, folder.resolve("absent/x").toString()).failsWith(Main.FAILED);
    run("generate", "-m", model, "-p", "a b c d e f", "-c", "2").failsWith(Main.FAILED);
  }

  @Test
  void badModelsAreThree() throws IOException {
    String absent = folder.resolve("absent.gguf").toString();
    String out = folder.resolve("out.gguf").toString();
    List<String> files = new java.util.ArrayList<>(List.of(absent));
    parse("bad-gguf/manifest.json")
        .getAsJsonObject()
        .asMap()
        .forEach(
            (name, entry) -> {
              if (entry.getAsJsonObject().get("expect").getAsString().equals("reject")) {
                files.add(data("bad-gguf/" + name + ".gguf"));
              }
            });
    assertTrue(files.size() > 30);
    for (String file : files) {
      run("inspect", file, "--json").failsWith(Main.BAD_MODEL);
      run("generate", "--model", file, "--prompt", "a", "--json").failsWith(Main.BAD_MODEL);
      run("tokenize", "--model", file, "--json").failsWith(Main.BAD_MODEL);
      run("quantize", file, out).failsWith(Main.BAD_MODEL);
    }
    run("chat", "-m", absent).failsWith(Main.BAD_MODEL);
    run("embed", "-m", absent).failsWith(Main.BAD_MODEL);
    run("perplexity", "-m", absent, "-f", data("corpora/tinystories-1000.txt"), "--chars", "9")
        .failsWith(Main.BAD_MODEL);
  }

  @Test
  void errorsAreOneLineWhateverFilesSay() {
    Path steering = folder.resolve("steering.gguf");
    new GgufWriter()
        .put("general.architecture", "a\u001b[31m\n\rb\u009b\u2028c")
        .put("tokenizer.ggml.model", "x\u0007\ny")
        .write(steering);
    Outcome outcome = run("generate", "-m", steering.toString(), "-p", "a");
    outcome.failsWith(Main.BAD_MODEL);
    assertTrue(outcome.err().strip().codePoints().noneMatch(Character::isISOControl));
  }

  @Test
  void stackTracesOnlyOnRequest() {
    Outcome outcome = run("inspect", "absent.gguf", "--verbose");
    assertEquals(Main.BAD_MODEL, outcome.code());
    assertTrue(outcome.err().contains("\tat io.smallmind"), outcome.err());
  }

  private static JsonElement parse(String relative) throws IOException {
    return JsonParser.parseString(Files.readString(TestData.path(relative)));
  }
}
