package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmokeTest {
  private static final String TINY = " --quick --repeat 1 --warm-up 0.02 --threads 1";

  @TempDir private Path folder;

  private BenchProcess run(String arguments, Path json) {
    return run(arguments, "all", json);
  }

  private BenchProcess run(String arguments, String backends, Path json) {
    String all = arguments + TINY + " --backends " + backends + " --json " + json;
    return right(BenchProcess.run(all.split(" ")));
  }

  private static BenchProcess right(BenchProcess run) {
    assertEquals(0, run.exitCode(), run.err() + run.out());
    assertEquals("", run.err());
    return run;
  }

  private static void assertPlainAndNarrow(String out) {
    assertFalse(out.contains("\u001b"), out);
    for (String line : out.split("\n")) {
      assertTrue(line.codePointCount(0, line.length()) <= 80, line);
    }
  }

  @Test
  void matmulMeasuresEveryBackend() throws IOException {
    Path json = folder.resolve("matmul.json");
    BenchProcess run = run("matmul --mode gemm --types F32,Q4_0 --sizes 32,64", json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    JsonObject report = JsonSchema.valid(json);
    List<String> ids = new ArrayList<>();
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      assertTrue(result.getAsJsonObject("verification").get("checked").getAsInt() >= 64);
      assertTrue(result.get("gflops").getAsDouble() > 0);
      ids.add(result.get("id").getAsString());
    }
    for (Kernels kernels : KernelRegistry.get().available()) {
      for (String subject : new String[] {"F32", "Q4_0"}) {
        String id = "gemm/" + subject + "/64x64x64/" + kernels.name() + "/threads-1";
        assertTrue(ids.contains(id), id + " in " + ids);
      }
    }
  }

  @Test
  void rowsTellTheirShareOfTheLimit() throws IOException {
    Path json = folder.resolve("limits.json");
    String arguments =
        "matmul --mode gemm --types F32 --sizes 32" + TINY + " --backends all --json " + json;
    right(BenchProcess.runWithLimits(arguments.split(" ")));
    JsonObject report = JsonSchema.valid(json);
    assertFalse(report.getAsJsonArray("limits").isEmpty());
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      if (result.get("role").getAsString().equals("backend")) {
        assertEquals("FP32 multiply-add", result.get("shareOf").getAsString());
        assertTrue(result.get("share").getAsDouble() > 0, result.toString());
      }
    }
  }

  @Test
  void argumentsDoNotTellTheHomeFolder() throws IOException {
    String home = System.getProperty("user.home");
    Path json = folder.resolve("home.json");
    System.setProperty("user.home", folder.toString());
    try {
      run("matmul --mode gemm --types F32 --sizes 16", "scalar", json);
    } finally {
      System.setProperty("user.home", home);
    }
    String arguments = JsonSchema.valid(json).getAsJsonArray("arguments").toString();
    assertTrue(arguments.contains("\"~/home.json\""), arguments);
    assertFalse(arguments.contains(folder.toString()), arguments);
  }

  @Test
  void gemvReadsFromMemory() throws IOException {
    Path json = folder.resolve("gemv.json");
    run("matmul --rows 1,8 --n 256 --k 512 --types Q4_0", json);
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("gemv", result.get("work").getAsString());
      assertEquals(256 * 512 / 32 * 18, result.get("bytesPerCall").getAsLong());
    }
  }

  @Test
  void opsMeasuresEveryOperation() throws IOException {
    Path json = folder.resolve("ops.json");
    BenchProcess run =
        run(
            "ops --sizes 256 --ops add,multiply,scale,dot,relu,gelu,gelu-erf,silu,sigmoid,tanh,"
                + "softmax,layerNorm,rmsNorm,rope,quantize",
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    assertEquals(15, run.out().lines().filter(line -> line.startsWith("── ")).count());
    JsonSchema.valid(json);
  }

  @Test
  void modelBringsItsOwnShapes() throws IOException {
    Path model = TestData.path("models/stories260K-Q8_0.gguf");
    Path json = folder.resolve("model.json");
    BenchProcess run = run("matmul --rows 1 --model " + model, json);
    assertTrue(run.out().contains("tensors in turn"), run.out());
    assertTrue(JsonSchema.valid(json).getAsJsonArray("results").size() > 2);
  }

  @Test
  void modelReadsPromptsAndGenerates() throws IOException {
    Path json = folder.resolve("models.json");
    BenchProcess run =
        run(
            "model --no-load --shape tiny-llama --types Q8_0 --prompt 8 --generate 4 --depth 0,100"
                + " --sessions 3 --kv q8_0 --cache "
                + folder,
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    int rows = 0;
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      assertTrue(result.get("tokensPerSecond").getAsDouble() > 0, result.toString());
      assertEquals(1024, result.getAsJsonObject("verification").get("checked").getAsInt());
      assertTrue(result.getAsJsonObject("figures").get("loadSeconds").getAsDouble() > 0);
      rows++;
    }
    assertEquals((1 + 2) * KernelRegistry.get().available().size(), rows);
  }

  /** What a file's loading takes is a row of its own; the disk's part only where it can be told. */
  @Test
  void modelIsLoadedColdAndWarm() throws IOException {
    Path json = folder.resolve("loading.json");
    run("model --shape tiny-llama --prompt 0 --generate 8 --cache " + folder, json);
    int loads = 0;
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      if (result.get("work").getAsString().equals("load")) {
        boolean cold = result.get("size").getAsString().equals("cold");
        String status = result.get("status").getAsString();
        assertTrue(status.equals("ok") || cold && status.equals("skipped"), result.toString());
        loads++;
      } else {
        boolean single = result.getAsJsonObject("nanos").get("callsPerSample").getAsInt() == 1;
        assertEquals(single ? 7 : 0, result.getAsJsonArray("series").size());
      }
    }
    assertEquals(2 * KernelRegistry.get().available().size(), loads);
  }

  @Test
  void sessionsShareTheirPasses() throws IOException {
    Path json = folder.resolve("sessions.json");
    BenchProcess run =
        run(
            "sessions --shape tiny-llama --sessions 1,3 --generate 4 --cache " + folder,
            "scalar",
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    JsonObject report = JsonSchema.valid(json);
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      assertTrue(result.getAsJsonObject("figures").get("tokenNanosP99").getAsDouble() > 0);
    }
    assertTrue(run.out().contains("many sessions ÷ one"), run.out());
  }

  /** The same backend twice: never its own rival, but a ratio. */
  @Test
  void backendsWorkBesideOtherProcesses() throws IOException {
    Path json = folder.resolve("beside.json");
    BenchProcess run =
        run(
            "model --no-load --shape tiny-llama --prompt 8 --generate 4 --beside 1 --cache "
                + folder,
            "scalar",
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    JsonObject report = JsonSchema.valid(json);
    List<String> roles = new ArrayList<>();
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      roles.add(result.get("variant").getAsString() + ": " + result.get("role").getAsString());
    }
    String pair = "scalar: backend, scalar beside 1: variant";
    assertEquals(pair + ", " + pair, String.join(", ", roles));
    List<String> names = new ArrayList<>();
    for (JsonElement one : report.getAsJsonArray("comparisons")) {
      names.add(one.getAsJsonObject().get("name").getAsString());
      assertTrue(one.getAsJsonObject().get("numerator").getAsString().contains("beside-1"));
    }
    assertEquals(
        List.of(
            "prefill tiny-llama Q4_0, beside 1 ÷ alone",
            "decode tiny-llama Q4_0, beside 1 ÷ alone"),
        names);
    assertFalse(run.out().contains("wins"), run.out());
  }

  @Test
  void guessesAreConfirmedWhereTextsRepeat() throws IOException {
    Path json = folder.resolve("lookup.json");
    BenchProcess run =
        run(
            "lookup --shape tiny-llama --prompt 24 --generate 24 --cache " + folder,
            "scalar,vector",
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    JsonObject report = JsonSchema.valid(json);
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      boolean guesses = result.get("variant").getAsString().endsWith(" guessing 15");
      boolean edited = result.get("size").getAsString().equals("edited text");
      double confirmed = result.getAsJsonObject("figures").get("acceptedTokens").getAsDouble();
      assertEquals(guesses && edited, confirmed > 4, result.toString());
      assertEquals(guesses ? "variant" : "backend", result.get("role").getAsString());
    }
    assertEquals(8, report.getAsJsonArray("results").size());
    assertTrue(run.out().contains("guessing 15 ÷ 0"), run.out());
  }

  @Test
  void profileTellsWhereTheTimeGoes() throws IOException {
    Path json = folder.resolve("profile.json");
    BenchProcess run =
        run(
            "profile --shape tiny-llama --types F32 --prompt 8 --generate 4 --cache " + folder,
            "scalar",
            json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    assertTrue(run.out().contains("watching costs"), run.out());
    double share = 0;
    double bytes = 0;
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      if (result.get("subject").getAsString().equals("tiny-llama F32 decode")) {
        share += result.getAsJsonObject("figures").get("shareOfPass").getAsDouble();
        bytes += result.get("bytesPerCall").getAsDouble();
        boolean layers = result.getAsJsonArray("series").size() == 2;
        String step = result.get("size").getAsString();
        assertEquals(!step.equals("embedding") && !step.equals("scores"), layers, step);
      } else if (result.get("work").getAsString().equals("decode")) {
        // What the steps read is what the whole pass is said to read.
        bytes -=
            result.get("role").getAsString().equals("backend")
                ? result.get("bytesPerCall").getAsDouble()
                : 0;
      }
    }
    assertEquals(1, share, 1e-9);
    assertEquals(0, bytes, 1e-3);
  }

  @Test
  void trainingTakesVerifiedSteps() throws IOException {
    Path json = folder.resolve("train.json");
    run("train --shape tiny-gpt2 --batch 2 --context 16", "scalar", json);
    JsonObject row = JsonSchema.valid(json).getAsJsonArray("results").get(0).getAsJsonObject();
    assertEquals(4, row.getAsJsonObject("verification").get("checked").getAsInt());
    int weights = 2 * 12 * 256 * 256 + 512 * 256;
    double attention = 4 * 256 * 8.5 * 2;
    assertEquals(3 * 32 * (2.0 * weights + attention), row.get("operationsPerCall").getAsDouble());
  }

  @Test
  void freshProcessesLoadTheLibrary() throws IOException {
    Path json = folder.resolve("load.json");
    BenchProcess run =
        right(
            BenchProcess.run(
                ("load --quick --repeat 1 --backends scalar --json " + json).split(" ")));
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      assertEquals("calls/s", result.get("rateUnit").getAsString());
    }
  }

  @Test
  void freshProcessesLoadAModel() throws IOException {
    Path json = folder.resolve("first.json");
    String arguments = "load --shape tiny-llama --rivals llama.cpp --cache " + folder;
    BenchProcess run = run(arguments, "scalar", json);
    assertPlainAndNarrow(run.out().replace(json.toString(), "x.json"));
    JsonObject report = JsonSchema.valid(json);
    for (JsonElement row : report.getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      if (result.get("role").getAsString().equals("baseline")) {
        assertEquals("skipped", result.get("status").getAsString(), result.toString());
        continue;
      }
      assertEquals("ok", result.get("status").getAsString(), result.toString());
      JsonObject figures = result.getAsJsonObject("figures");
      double inside = figures.get("loadSeconds").getAsDouble() * 1e9;
      assertTrue(inside < result.getAsJsonObject("nanos").get("median").getAsDouble());
      assertTrue(figures.get("loadGigabytesPerSecond").getAsDouble() > 0);
      assertEquals(1 + 1024, result.getAsJsonObject("verification").get("checked").getAsInt());
    }
    JsonObject ratio = report.getAsJsonArray("comparisons").get(0).getAsJsonObject();
    assertEquals("first token tiny-llama Q4_0, mapped ÷ packed", ratio.get("name").getAsString());
    assertFalse(ratio.get("seconds").isJsonNull());
  }

  @Test
  void firstTokensThatTakeTooLongAreLeftOut() throws IOException {
    Path json = folder.resolve("cap.json");
    run("load --shape tiny-llama --cap 0.001 --cache " + folder, "scalar", json);
    for (JsonElement row : JsonSchema.valid(json).getAsJsonArray("results")) {
      JsonObject result = row.getAsJsonObject();
      assertEquals("skipped", result.get("status").getAsString(), result.toString());
      assertTrue(result.get("message").getAsString().contains("--cap is 0.0 s"));
    }
  }

  /** All but what is only looked up, or small, is read for every token. */
  @Test
  void decodeCountsTheBytesOfWeightsAndContext() throws IOException {
    Path json = folder.resolve("bytes.json");
    run(
        "model --no-load --shape tiny-llama --types F32 --prompt 0 --generate 4 --depth 100"
            + " --sessions 2 --cache "
            + folder,
        json);
    JsonObject row = JsonSchema.valid(json).getAsJsonArray("results").get(0).getAsJsonObject();
    int layer = 256 * 256 * 2 + 256 * 128 * 2 + 3 * 256 * 512;
    int weights = 4 * (2 * layer + 512 * 256);
    double context = 2 * 2 * 2 * 128 * 2 * 102.5; // sessions, layers, K and V, values, F16
    assertEquals(weights + context, row.get("bytesPerCall").getAsDouble());
  }

  @Test
  void terminalGetsColoursAndProgressUnlessAskedNotTo() {
    String[] arguments =
        ("matmul --types F32 --sizes 16 --quick --repeat 1 --warm-up 0.02 --threads 1 --backends"
                + " scalar")
            .split(" ");
    BenchProcess colourful = BenchProcess.run(Map.of("TERM", "xterm"), arguments);
    assertTrue(colourful.out().contains("\u001b[1m"), colourful.out());
    assertTrue(colourful.err().contains("preparing data"), colourful.err());
    BenchProcess plain = BenchProcess.run(Map.of("TERM", "xterm", "NO_COLOR", "1"), arguments);
    assertFalse(plain.out().contains("\u001b"), plain.out());
    BenchProcess wide = BenchProcess.run(Map.of("TERM", "xterm", "COLUMNS", "110"), arguments);
    assertTrue(wide.out().contains("─".repeat(90)), wide.out());
  }
}
