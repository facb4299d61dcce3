package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  @TempDir private Path folder;

  private Path measured() throws IOException {
    Path json = folder.resolve("a.json");
    BenchProcess run =
        BenchProcess.run(
            ("ops --ops add --sizes 256 --quick --repeat 1 --warm-up 0.02 --threads 1"
                    + " --backends scalar --json "
                    + json)
                .split(" "));
    assertEquals(0, run.exitCode(), run.err());
    // What a name could do to the page.
    String text =
        Files.readString(json).replace("\"warnings\": [", "\"warnings\": [\"</script>\",");
    Files.writeString(json, text.replace("\",]", "\"]").replace("\",\n  ]", "\"\n  ]"));
    return json;
  }

  @Test
  void pageHoldsEverythingItNeeds() throws IOException {
    Path html = folder.resolve("report.html");
    BenchProcess run = BenchProcess.run("report", measured().toString(), "--html", html.toString());
    assertEquals(0, run.exitCode(), run.err());
    String page = Files.readString(html);
    assertTrue(page.contains("Chart.js v4"), "no charts inside");
    assertFalse(page.contains("src=\"http"), "needs the network");
    String open = "<script id=\"data\" type=\"application/json\">";
    int begin = page.indexOf(open) + open.length();
    String data = page.substring(begin, page.indexOf("</script>", begin));
    JsonArray sources = JsonParser.parseString(data).getAsJsonArray();
    assertEquals("a.json", sources.get(0).getAsJsonObject().get("file").getAsString());
    assertTrue(data.contains("add/add/256/scalar/threads-1"), data);
  }

  @Test
  void markdownShowsTheCommandAndEveryRow() throws IOException {
    Path markdown = folder.resolve("report.md");
    BenchProcess run =
        BenchProcess.run("report", measured().toString(), "--markdown", markdown.toString());
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(markdown);
    assertTrue(text.contains("`scripts/smallmind bench ops --ops add"), text);
    assertTrue(text.contains("| 256 | scalar | 1 | "), text);
    assertTrue(text.contains("[a.json](a.json)"), text);
  }

  /** What a person wrote stands beside the figures, and outlives them. */
  @Test
  void whereOthersWinTheReasonStandsBesideIt() throws IOException {
    Path json = measured();
    JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    JsonArray rows = report.getAsJsonArray("results");
    for (String name : List.of("quick", "odd", "slow")) {
      JsonObject row = rows.get(0).getAsJsonObject().deepCopy();
      double factor = name.equals("slow") ? 0.5 : 2;
      row.addProperty("id", "add/add/256/" + name + "/threads-1");
      row.addProperty("variant", name);
      row.addProperty("role", "baseline");
      row.addProperty("gigabytesPerSecond", row.get("gigabytesPerSecond").getAsDouble() * factor);
      rows.add(row);
    }
    Files.writeString(json, report.toString());
    Path notes = folder.resolve("notes.md");
    Files.writeString(
        notes,
        "# Mine\n\nRead *this*.\n\n## Why others win\n\n- `add/*/quick/*`: it cheats | a lot\n");
    Path markdown = folder.resolve("report.md");
    Path html = folder.resolve("report.html");
    BenchProcess run =
        BenchProcess.run(
            ("report " + json + " --notes " + notes + " --markdown " + markdown + " --html " + html)
                .split(" "));
    assertEquals(0, run.exitCode(), run.err());
    String text = Files.readString(markdown);
    assertTrue(text.startsWith("# Mine\n\nRead *this*.\n\n## Where others win\n"), text);
    assertTrue(text.contains("| quick | 2.00 × scalar | it cheats \\| a lot |"), text);
    assertTrue(text.contains("| odd | 2.00 × scalar | not found out yet |"), text);
    assertFalse(text.contains("| slow | 0"), text);
    assertEquals(2, text.lines().filter(line -> line.contains(" wins | ")).count(), text);
    assertTrue(Files.readString(html).contains("it cheats"));
    assertEquals(
        2,
        BenchProcess.run(("report " + json + " --notes /nowhere --markdown " + markdown).split(" "))
            .exitCode());
  }

  @Test
  void allRunsEverythingAndEndsWithThePath() throws IOException {
    BenchProcess run =
        BenchProcess.run(
            "all",
            "--smoke",
            "--threads",
            "1",
            "--backends",
            "scalar",
            "--cache",
            folder.toString(),
            "--out",
            folder.resolve("out").toString());
    assertEquals(0, run.exitCode(), run.err());
    for (String name :
        List.of("matmul", "ops", "model", "sessions", "lookup", "profile", "train", "load")) {
      JsonObject report = JsonSchema.valid(folder.resolve("out").resolve(name + ".json"));
      assertEquals(name, report.get("command").getAsString());
      assertFalse(report.getAsJsonArray("results").isEmpty(), name);
    }
    assertTrue(Files.exists(folder.resolve("out").resolve("report.html")));
    String last = run.out().lines().reduce("", (before, line) -> line);
    assertTrue(last.startsWith("Report: ") && last.endsWith("report.html"), last);
  }

  @Test
  void slipsAreUsageErrors() throws IOException {
    Path other = Files.writeString(folder.resolve("x.json"), "[1]");
    assertEquals(2, BenchProcess.run("report", "/nowhere.json", "--html", "x").exitCode());
    assertEquals(2, BenchProcess.run("report", other.toString()).exitCode());
    BenchProcess run = BenchProcess.run("report", other.toString(), "--html", other + ".html");
    assertEquals(2, run.exitCode(), run.err());
  }
}
