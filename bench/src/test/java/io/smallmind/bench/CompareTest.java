package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareTest {
  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void measureOnce() throws IOException {
    base = folder.resolve("base.json");
    BenchProcess run =
        BenchProcess.run(
            ("matmul --types F32,Q8_0 --mode gemm --sizes 32 --quick --repeat 1 --warm-up 0.02"
                    + " --threads 1 --backends scalar --json "
                    + base)
                .split(" "));
    assertEquals(0, run.exitCode(), run.err());
    edit(base, base, report -> rounds(report, 1));
  }

  private static void edit(Path from, Path to, Consumer<JsonObject> change) throws IOException {
    JsonObject report = JsonParser.parseString(Files.readString(from)).getAsJsonObject();
    change.accept(report);
    Files.writeString(to, report.toString());
  }

  /** Gives every row seven calm rounds. */
  private static void rounds(JsonObject report, double factor) {
    for (JsonElement row : report.getAsJsonArray("results")) {
      slow(row.getAsJsonObject(), factor);
    }
  }

  private static void slow(JsonObject row, double factor) {
    JsonArray rounds = new JsonArray();
    for (int i = 0; i < 7; i++) {
      rounds.add(1000 * factor * (1 + 0.002 * (i * 3 % 7)));
    }
    row.getAsJsonObject("nanos").add("roundMedians", rounds);
    row.addProperty("reference", 100);
  }

  private BenchProcess compare(Consumer<JsonObject> change) throws IOException {
    Path head = folder.resolve("head.json");
    edit(base, head, change);
    return BenchProcess.run("compare", base.toString(), head.toString());
  }

  @Test
  void sameFileIsNoDifference() {
    BenchProcess run = BenchProcess.run("compare", base.toString(), base.toString(), "--all");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("Verdict: no difference"), run.out());
    assertTrue(run.out().contains("gemm/Q8_0/32x32x32/scalar"), run.out());
  }

  /** What else takes part, and how a backend fares in a condition, is no verdict on it. */
  @Test
  void rowsOfOthersAndOfConditionsAreNotJudged() throws IOException {
    for (String role : List.of("variant", "baseline", "baseline_variant")) {
      BenchProcess run =
          compare(
              report -> {
                JsonObject row = report.getAsJsonArray("results").get(0).getAsJsonObject();
                slow(row, 1.25);
                row.addProperty("role", role);
              });
      assertFalse(run.out().contains("1 slower"), run.out());
    }
  }

  @Test
  void unknownRoleOrVersionIsTold() throws IOException {
    BenchProcess role =
        compare(
            report ->
                report
                    .getAsJsonArray("results")
                    .get(0)
                    .getAsJsonObject()
                    .addProperty("role", "jester"));
    assertEquals(2, role.exitCode(), role.out());
    assertTrue(role.err().contains("is jester, not one of [backend, variant,"), role.err());
    assertEquals(1, role.err().lines().count(), role.err());
    BenchProcess version = compare(report -> report.addProperty("schemaVersion", 1));
    assertEquals(2, version.exitCode(), version.out());
    assertTrue(version.err().contains("it has version 1; this bench reads version 2"));
  }

  @Test
  void slowerRowIsARegression() throws IOException {
    BenchProcess run =
        compare(report -> slow(report.getAsJsonArray("results").get(0).getAsJsonObject(), 1.25));
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.out().contains("1 slower, 0 faster, 1 the same"), run.out());
  }

  /** What the machine does meanwhile is no change; where it does less, more can be seen. */
  @Test
  void singleRunsSayWhatTheyCannotSee() throws IOException {
    BenchProcess single =
        compare(report -> slow(report.getAsJsonArray("results").get(0).getAsJsonObject(), 1.1));
    assertEquals(0, single.exitCode(), single.out());
    assertTrue(single.out().contains("Verdict: no difference"), single.out());
    assertTrue(single.out().contains("would be found in 19 of 20"), single.out());
    assertTrue(single.out().contains("--run"), single.out());
    BenchProcess calm =
        BenchProcess.run(
            "compare", "--drift", "1", base.toString(), folder.resolve("head.json").toString());
    assertEquals(1, calm.exitCode(), calm.out());
    assertEquals(
        2,
        BenchProcess.run("compare", "--drift", "-1", base.toString(), base.toString()).exitCode());
  }

  @Test
  void slipsOfRunAreFoundBeforeAnythingIsBuilt() {
    String[][] slips = {
      {"--run", "no-such-revision", "--", "matmul"},
      {"--run", "HEAD"},
      {"--run", "HEAD", "--drift", "1", "--", "matmul"},
      {"--run", "HEAD", "--pairs", "2", "--", "matmul"},
      {"--run", "HEAD", "--", "matmul", "--sizes", "x"},
      {"--run", "HEAD", "--", "report", base.toString(), "--html", "x.html"},
      {"--run", "HEAD", "--", "matmul", "--json", "x.json"},
      {"--pairs", "5", base.toString(), base.toString()},
      {"--keep", base.toString(), base.toString()},
    };
    for (String[] slip : slips) {
      List<String> arguments = new ArrayList<>(List.of("compare"));
      arguments.addAll(List.of(slip));
      BenchProcess run = BenchProcess.run(arguments.toArray(new String[0]));
      assertEquals(2, run.exitCode(), String.join(" ", slip) + run.err() + run.out());
      assertTrue(run.err().startsWith("error: "), run.err());
    }
  }

  @Test
  void fasterRowIsFine() throws IOException {
    BenchProcess run =
        compare(report -> slow(report.getAsJsonArray("results").get(0).getAsJsonObject(), 0.8));
    assertEquals(0, run.exitCode(), run.out());
    assertTrue(run.out().contains("better than before"), run.out());
  }

  @Test
  void slowerMachineIsNoRegression() throws IOException {
    BenchProcess run =
        compare(
            report -> {
              rounds(report, 1.4);
              for (JsonElement row : report.getAsJsonArray("results")) {
                row.getAsJsonObject().addProperty("reference", 100 / 1.4);
              }
            });
    assertEquals(0, run.exitCode(), run.out());
  }

  @Test
  void hungrierRowIsARegression() throws IOException {
    BenchProcess run =
        compare(
            report ->
                report
                    .getAsJsonArray("results")
                    .get(0)
                    .getAsJsonObject()
                    .addProperty("heapBytesPerCall", 4096));
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.out().contains("more heap per call"), run.out());
  }

  /** Each file of a folder is a round; where the sides took turns, the machine hits both alike. */
  @Test
  void foldersOfRunsAreComparedInPairsIfTheyTookTurns() throws IOException {
    Path before = Files.createDirectory(folder.resolve("before"));
    Path after = Files.createDirectory(folder.resolve("after"));
    for (int run = 0; run < 5; run++) {
      double machine = run > 2 ? 1.15 : 1 + 0.002 * run;
      int minute = 10 + 2 * run;
      edit(base, before.resolve(run + ".json"), report -> run(report, minute, machine));
      edit(base, after.resolve(run + ".json"), report -> run(report, minute + 1, 1.1 * machine));
    }
    String one = before.toString();
    String other = after.toString();
    BenchProcess slower = BenchProcess.run("compare", one, other);
    assertEquals(1, slower.exitCode(), slower.out());
    assertFalse(slower.out().contains("did not take turns"), slower.out());
    for (int run = 0; run < 5; run++) {
      Path file = after.resolve(run + ".json");
      int minute = 40 + run;
      edit(file, file, report -> run(report, minute, 1.1));
    }
    BenchProcess mixed = BenchProcess.run("compare", one, other);
    assertEquals(0, mixed.exitCode(), mixed.out());
    assertTrue(mixed.out().contains("did not take turns"), mixed.out());
    assertEquals(2, BenchProcess.run("compare", one, folder.resolve("x").toString()).exitCode());
  }

  private static void run(JsonObject report, int minute, double factor) {
    report.addProperty("startedAt", "2026-01-01T00:" + (minute < 10 ? "0" : "") + minute + ":00Z");
    medians(report, factor);
  }

  private static void medians(JsonObject report, double factor) {
    for (JsonElement row : report.getAsJsonArray("results")) {
      row.getAsJsonObject().getAsJsonObject("nanos").addProperty("median", 1000 * factor);
    }
  }

  @Test
  void lostRowIsARegression() throws IOException {
    BenchProcess run = compare(report -> report.getAsJsonArray("results").remove(0));
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.out().contains("no longer measured: gemm/F32"), run.out());
  }

  @Test
  void trendPointsAtTheNewestRegression() throws IOException {
    Path head = folder.resolve("head.json");
    edit(
        base,
        head,
        report -> {
          report.addProperty("startedAt", "2999-01-01T00:00:00Z");
          slow(report.getAsJsonArray("results").get(0).getAsJsonObject(), 1.3);
        });
    BenchProcess run = BenchProcess.run("trend", folder.toString());
    assertEquals(1, run.exitCode(), run.out());
    List<String> slower = run.out().lines().filter(line -> line.endsWith(" slower")).toList();
    assertEquals(1, slower.size(), run.out());
    assertTrue(slower.getFirst().contains("gemm/F32"), run.out());
    Files.delete(head);
    assertEquals(0, BenchProcess.run("trend", folder.toString()).exitCode());
  }

  @Test
  void otherMachineAndOtherSettingsAreNotComparable() throws IOException {
    BenchProcess machine =
        compare(report -> report.getAsJsonObject("host").addProperty("cpu", "Abacus"));
    assertEquals(2, machine.exitCode(), machine.out());
    assertTrue(machine.out().contains("different machines"), machine.out());
    BenchProcess settings =
        compare(report -> report.getAsJsonObject("settings").addProperty("quick", false));
    assertEquals(2, settings.exitCode(), settings.out());
  }

  @Test
  void filesWithoutFiguresAreAnError() throws IOException {
    Path other = folder.resolve("other.json");
    Files.writeString(other, "{\"a\": 1}");
    BenchProcess run = BenchProcess.run("compare", base.toString(), other.toString());
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("no result of the bench"), run.err());
    assertEquals(2, BenchProcess.run("compare", base.toString()).exitCode());
    assertEquals(2, BenchProcess.run("compare", base.toString(), "/nowhere").exitCode());
  }
}
