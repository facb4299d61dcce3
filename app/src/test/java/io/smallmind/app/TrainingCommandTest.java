package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingCommandTest {
  @TempDir private Path folder;
  private Path text = Path.of("");
  private Path model = Path.of("");

  private record Outcome(int code, String out, String err) {}

  private static Outcome run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Main.run(
            args,
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    return new Outcome(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @BeforeEach
  void write() throws IOException {
    text = folder.resolve("text.txt");
    model = folder.resolve("model.gguf");
    Files.writeString(text, "The cat sat on the mat. The dog sat on the cat.\n".repeat(60));
  }

  private Outcome train(String... more) {
    return command("train", more, "--preset", "smallmind-small", "--vocabulary", "270");
  }

  /** Runs a command with options, and with pairs of usual ones where these are not among them. */
  private Outcome command(String name, String[] options, String... usual) {
    List<String> all = new ArrayList<>(List.of(name));
    all.addAll(Arrays.asList(options));
    List<String> pairs = new ArrayList<>(Arrays.asList(usual));
    pairs.addAll(List.of("--data", text.toString(), "--output", model.toString()));
    pairs.addAll(List.of("--context", "16", "--batch", "2", "--evaluate-every", "2"));
    for (int i = 0; i < pairs.size(); i += 2) {
      if (!all.contains(pairs.get(i))) {
        all.addAll(pairs.subList(i, i + 2));
      }
    }
    return run(all.toArray(String[]::new));
  }

  private static JsonObject json(Outcome outcome) {
    assertEquals(0, outcome.code, outcome.err);
    return JsonParser.parseString(outcome.out).getAsJsonObject();
  }

  @Test
  void trainsSavesResumesAndFinetunes() {
    Path picture = Path.of(model + ".png");
    JsonObject first = json(train("--steps", "3", "--json", "--baseline"));
    assertEquals(3, first.get("steps").getAsInt());
    assertTrue(first.get("validationLoss").getAsDouble() > 0);
    assertTrue(first.get("trigramLoss").getAsDouble() > 0);
    assertEquals(picture.toString(), first.get("picture").getAsString());
    assertTrue(Files.exists(picture));
    Path weights = folder.resolve("model.safetensors");
    JsonObject second =
        json(
            command(
                "train",
                new String[] {"--json", "--resume", "--safetensors", weights.toString()},
                "--steps",
                "5"));
    assertEquals(5, second.get("steps").getAsInt());
    assertTrue(Files.exists(weights));
    assertEquals(
        0,
        run("generate", "--model", model.toString(), "--prompt", "The", "--max-tokens", "3").code);
    Path base = model;
    model = folder.resolve("tuned.gguf");
    JsonObject tuned =
        json(
            command(
                "finetune",
                new String[] {"--json"},
                "--model",
                base.toString(),
                "--lora",
                "2",
                "--type",
                "Q8_0",
                "--steps",
                "2"));
    assertTrue(tuned.get("parameters").getAsLong() < first.get("parameters").getAsLong() / 4);
    assertEquals(0, run("inspect", model.toString()).code);
  }

  @Test
  void adaptersHaveFilesOfTheirOwn() {
    Path base = model;
    json(train("--steps", "2", "--type", "F32", "--json"));
    model = folder.resolve("tuned.gguf");
    String adapter = folder.resolve("adapter.gguf").toString();
    String[] options = {"--json", "--adapter", adapter, "--learning-rate", "0.1", "--type", "F32"};
    String[] usual = {"--model", base.toString(), "--steps", "5"};
    fails(command("finetune", options, usual), "--adapter needs --lora");
    String[] lora = Arrays.copyOf(usual, 6);
    lora[4] = "--lora";
    lora[5] = "3";
    json(command("finetune", options, lora));
    String merged = folder.resolve("merged.gguf").toString();
    json(run("quantize", base.toString(), merged, "--lora", adapter, "--type", "F32", "--json"));
    double before = perplexity(base.toString());
    double after = perplexity(model.toString());
    assertTrue(Math.abs(before - after) > 0.01 * before, before + " and " + after);
    assertEquals(after, perplexity(merged), 1e-4 * after);
    assertEquals(after, perplexity(base.toString(), "--lora", adapter), 1e-3 * after);
    assertEquals(
        before, perplexity(base.toString(), "--lora", adapter, "--lora-scale", "0"), 1e-9 * before);
    Outcome absent = run("generate", "--model", base.toString(), "--lora", base.toString());
    fails(absent, "general.type", Main.BAD_MODEL);
    String unused = "--lora-scale needs --lora";
    fails(
        run("generate", "--model", base.toString(), "--prompt", "The", "--lora-scale", "2"),
        unused);
    fails(run("quantize", base.toString(), merged, "--lora-scale", "2"), unused);
  }

  private double perplexity(String path, String... more) {
    List<String> all = new ArrayList<>(List.of("perplexity", "--model", path, "--json"));
    all.addAll(List.of("--file", text.toString(), "--context", "16", "--chunks", "8"));
    all.addAll(List.of(more));
    return json(run(all.toArray(String[]::new))).get("perplexity").getAsDouble();
  }

  @Test
  void reportsForPeople() {
    Outcome outcome = train("--steps", "2", "--sample-every", "1", "--prompt", "The cat");
    assertEquals(0, outcome.code, outcome.err);
    assertTrue(outcome.out.contains("step 2: loss "), outcome.out);
    assertTrue(outcome.out.contains("  The cat"), outcome.out);
    assertTrue(outcome.out.contains("validation loss"), outcome.out);
  }

  @Test
  void samplesThatFailDontEndTheTraining() {
    String[] options = {"--steps", "4", "--sample-every", "1", "--prompt", "The cat ".repeat(300)};
    Outcome outcome = train(options);
    assertEquals(0, outcome.code, outcome.err);
    assertEquals(1, outcome.err.lines().count(), outcome.err);
    assertTrue(outcome.err.startsWith("warning: no sample: "), outcome.err);
  }

  @Test
  void mistakesAreNamed() throws IOException {
    fails(train("--resume"), "there is no");
    Files.createFile(Path.of(model + ".checkpoint"));
    fails(train("--resume"), "--preset says how a training begins");
    fails(command("train", new String[] {"--resume"}), "no checkpoint", Main.BAD_MODEL);
    fails(command("finetune", new String[0]), "--model");
    fails(train("--vocabulary", "5000"), "more text");
    fails(train("--context", "65"), "");
    fails(train("--preset", "llama4"), "unknown shape 'llama4'");
    fails(train("--learning-rate", "2"), "learning rate = 2.0");
    fails(train("--save-every", "0"), "--save-every");
    fails(train("--sample-every", "1", "--json"), "--sample-every");
    fails(train("--validation", "0", "--baseline"), "--baseline needs");
    fails(train("--validation", "0", "--patience", "2"), "--patience needs");
    fails(train("--validation", "0.005", "--steps", "1"), "not enough text");
    fails(command("finetune", new String[0], "--model", text.toString()), "", Main.BAD_MODEL);
    Files.delete(text);
    fails(train(), "can't be read");
  }

  private static void fails(Outcome outcome, String message) {
    fails(outcome, message, Main.USAGE);
  }

  private static void fails(Outcome outcome, String message, int code) {
    assertEquals(code, outcome.code, outcome.out + outcome.err);
    assertEquals(1, outcome.err.lines().count(), outcome.err);
    assertTrue(outcome.err.startsWith("error: ") && outcome.err.contains(message), outcome.err);
  }
}
