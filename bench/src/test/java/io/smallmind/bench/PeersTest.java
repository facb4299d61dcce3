package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Rivals are played by shell scripts: nothing is fetched for a test. */
@DisabledOnOs(OS.WINDOWS)
class PeersTest {
  @TempDir private Path folder;

  private String script(String name, String body) throws IOException {
    Path script = folder.resolve(name);
    Files.writeString(script, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return name + "=" + script;
  }

  private JsonArray run(String... benches) throws IOException {
    Path json = folder.resolve("peers.json");
    StringBuilder arguments =
        new StringBuilder("peers --shape tiny-llama --prompt 4 --generate 4 --threads 1");
    arguments
        .append(" --quick --repeat 2 --warm-up 0.02 --backends scalar --cache ")
        .append(folder);
    for (String bench : benches) {
      arguments.append(" --llama-bench ").append(bench);
    }
    return run(arguments.toString(), json);
  }

  private static JsonArray run(String arguments, Path json) throws IOException {
    BenchProcess run = BenchProcess.run((arguments + " --json " + json).split(" "));
    assertEquals(0, run.exitCode(), run.err() + run.out());
    return JsonParser.parseString(Files.readString(json))
        .getAsJsonObject()
        .getAsJsonArray("results");
  }

  private static JsonObject row(JsonArray rows, String work, String variant) {
    for (JsonElement row : rows) {
      JsonObject one = row.getAsJsonObject();
      if (one.get("work").getAsString().equals(work)
          && one.get("variant").getAsString().equals(variant)) {
        return one;
      }
    }
    throw new AssertionError("no row of " + variant + " in " + rows);
  }

  @Test
  void llamaBenchTellsItsOwnTimes() throws IOException {
    JsonArray rows =
        run(script("fine", "echo '[{\"n_gen\": 4, \"samples_ns\": [8000000, 8000000]}]'"));
    JsonObject prefill = row(rows, "prefill", "fine");
    assertEquals(4 / 8e-3, prefill.get("tokensPerSecond").getAsDouble(), 1);
    assertEquals("baseline", prefill.get("role").getAsString());
    assertTrue(prefill.get("heapBytesPerCall").isJsonNull());
    assertEquals(4 / 8e-3, row(rows, "decode", "fine").get("tokensPerSecond").getAsDouble(), 1);
    assertEquals("ok", row(rows, "decode", "scalar").get("status").getAsString());
  }

  /** Mapped weights are no backend of their own: who beats only them does not win. */
  @Test
  void mappedWeightsAreComparedWithRivals() throws IOException {
    Path json = folder.resolve("mapped.json");
    BenchProcess run =
        BenchProcess.run(
            ("peers --shape tiny-llama --prompt 0 --generate 4 --threads 1 --quick --repeat 1"
                    + " --depth 0 --warm-up 0.02 --backends scalar --mapped --cache "
                    + folder
                    + " --rivals llama.cpp --llama-bench "
                    + script("fine", "echo '[{\"n_gen\": 4, \"samples_ns\": [8000000000]}]'")
                    + " --json "
                    + json)
                .split(" "));
    assertEquals(0, run.exitCode(), run.err() + run.out());
    JsonObject report = JsonSchema.valid(json);
    JsonObject mapped = row(report.getAsJsonArray("results"), "decode", "scalar mapped");
    assertEquals("ok", mapped.get("status").getAsString(), mapped.toString());
    assertEquals("variant", mapped.get("role").getAsString());
    String names = report.getAsJsonArray("comparisons").toString();
    for (String name : new String[] {", mapped ÷ packed", ", mapped ÷ fine", " ÷ fine"}) {
      assertTrue(names.contains("\"decode tiny-llama Q4_0" + name + "\""), names);
    }
  }

  /** Where a control group can be made; else that is told, and nothing is measured. */
  @Test
  void underAQuotaAllTakePartOnceMore() throws IOException {
    Path json = folder.resolve("quota.json");
    BenchProcess run =
        BenchProcess.run(
            ("peers --shape tiny-llama --prompt 0 --generate 4 --threads 1 --quick --repeat 1"
                    + " --depth 0 --warm-up 0.02 --backends scalar --quota 0.5 --cache "
                    + folder
                    + " --rivals llama.cpp --llama-bench "
                    + script("fine", "echo '[{\"n_gen\": 4, \"samples_ns\": [8000000000]}]'")
                    + " --json "
                    + json)
                .split(" "));
    if (run.exitCode() == 2) {
      assertTrue(run.err().startsWith("error: --quota: "), run.err());
      abort(run.err());
    }
    assertEquals(0, run.exitCode(), run.err() + run.out());
    JsonObject report = JsonSchema.valid(json);
    JsonArray rows = report.getAsJsonArray("results");
    assertEquals("variant", row(rows, "decode", "scalar quota 0.5").get("role").getAsString());
    JsonObject fine = row(rows, "decode", "fine quota 0.5");
    assertEquals("ok", fine.get("status").getAsString(), fine.toString());
    assertEquals("baseline_variant", fine.get("role").getAsString());
    String names = report.getAsJsonArray("comparisons").toString();
    for (String name : new String[] {", quota 0.5 ÷ alone", ", quota 0.5 ÷ fine", " ÷ fine"}) {
      assertTrue(names.contains("\"decode tiny-llama Q4_0" + name + "\""), names);
    }
    assertEquals(3, report.getAsJsonArray("comparisons").size(), names);
    assertFalse(run.out().contains("wins"), run.out());
  }

  /** Else a mean beside a median would be told as what a condition costs. */
  @Test
  void besideAQuotaOtherConditionsAreTimedAlike() throws IOException {
    Path json = folder.resolve("quota.json");
    BenchProcess run =
        BenchProcess.run(
            ("model --shape tiny-llama --prompt 0 --generate 4 --threads 1 --quick --repeat 1"
                    + " --depth 0 --warm-up 0.02 --backends scalar --no-load --quota 0.5 --mapped"
                    + " --beside 1 --cache "
                    + folder
                    + " --json "
                    + json)
                .split(" "));
    if (run.exitCode() == 2) {
      abort(run.err());
    }
    assertEquals(0, run.exitCode(), run.err() + run.out());
    JsonArray rows = JsonSchema.valid(json).getAsJsonArray("results");
    for (String condition : List.of("", " quota 0.5", " mapped", " beside 1")) {
      JsonObject nanos = row(rows, "decode", "scalar" + condition).getAsJsonObject("nanos");
      assertEquals(1, nanos.get("samples").getAsLong(), "scalar" + condition + ": " + nanos);
    }
  }

  @Test
  void crashIsARowAndDisturbsNobody() throws IOException {
    JsonArray rows =
        run(script("crash", "echo 'out of luck' >&2; exit 3"), script("odd", "echo hello"));
    JsonObject crash = row(rows, "prefill", "crash");
    assertEquals("failed", crash.get("status").getAsString());
    assertEquals("exit code 3: out of luck", crash.get("message").getAsString());
    assertTrue(row(rows, "decode", "odd").get("message").getAsString().contains("no"));
    assertEquals("ok", row(rows, "prefill", "scalar").get("status").getAsString());
  }

  @Test
  void whoHangsIsARowAndDisturbsNobody() throws IOException {
    JsonArray rows =
        run(
            "peers --shape tiny-llama --prompt 4 --generate 0 --threads 1 --quick --repeat 1"
                + " --warm-up 0.02 --backends scalar --patience 1 --cache "
                + folder
                + " --llama-bench "
                + script("hangs", "case $1 in --help) ;; *) sleep 1000 ;; esac"),
            folder.resolve("hangs.json"));
    JsonObject hangs = row(rows, "prefill", "hangs");
    assertEquals("failed", hangs.get("status").getAsString());
    assertEquals("hangs gave no answer in 1 s", hangs.get("message").getAsString());
    assertEquals("ok", row(rows, "prefill", "scalar").get("status").getAsString());
  }

  @Test
  void whoIsNotInstalledIsARowThatSaysHow() throws IOException {
    JsonArray rows = run("gone=" + folder.resolve("nowhere"));
    JsonObject gone = row(rows, "prefill", "gone");
    assertEquals("skipped", gone.get("status").getAsString());
    assertTrue(gone.get("message").getAsString().startsWith("no executable"));
    assertTrue(row(rows, "decode", "llama.cpp").get("message").getAsString().contains("--install"));
  }

  @Test
  void matricesAreMultipliedByLibrariesInTheirOwnProcesses() throws IOException {
    JsonArray rows =
        run(
            "peers --sizes 32 --gemv 64 --types F32,Q8_0 --threads 1 --quick --repeat 1"
                + " --warm-up 0.02 --backends scalar --cache "
                + folder,
            folder.resolve("matrices.json"));
    for (String work : new String[] {"gemm", "gemv"}) {
      for (String floor : new String[] {"naive Java", "plain Vector API"}) {
        JsonObject row = row(rows, work, floor);
        assertEquals("ok", row.get("status").getAsString(), row.toString());
        assertEquals("F32", row.get("subject").getAsString());
        assertTrue(row.getAsJsonObject("verification").get("checked").getAsInt() >= 64);
        assertTrue(row.get("gflops").getAsDouble() > 0);
      }
      assertTrue(row(rows, work, "MKL").get("message").getAsString().contains("--install"));
    }
  }
}
