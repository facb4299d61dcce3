package io.smallmind.bench.compare;

import com.google.gson.JsonParseException;
import io.smallmind.bench.measure.Statistics;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.JsonReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs another revision of this repository and the present state in alternation, each time in new
 * processes, so that a noisy machine hits both alike.
 */
public final class RevisionRuns {
  private final Path root;
  private final Path work;
  private final Consumer<String> log;

  private RevisionRuns(Path root, Consumer<String> log) {
    this.root = root;
    this.work = root.resolve("target/compare");
    this.log = log;
  }

  /** Both sides, whose rows have one round per run, in the same order. */
  public record Pair(BenchReport base, BenchReport head) {}

  /**
   * Measures.
   *
   * @param revision as git names it
   * @param pairs how often each side runs
   * @param arguments of the bench, its command first
   * @throws IOException if the revision can't be built or a run fails
   */
  public static Pair measure(
      String revision, int pairs, List<String> arguments, Consumer<String> log) throws IOException {
    Path root = Path.of(output(Path.of(""), "git", "rev-parse", "--show-toplevel"));
    return new RevisionRuns(root, log).run(revision, pairs, arguments);
  }

  private Pair run(String revision, int pairs, List<String> arguments) throws IOException {
    String commit = output(root, "git", "rev-parse", "--verify", revision + "^{commit}");
    Path other = work.resolve(commit.substring(0, 12));
    Files.createDirectories(work);
    if (!Files.exists(other.resolve("pom.xml"))) {
      output(root, "git", "worktree", "prune");
      output(root, "git", "worktree", "add", "--detach", other.toString(), commit);
    }
    for (Path tree : List.of(other, root)) {
      log.accept("building " + tree);
      output(tree, tree.resolve("scripts/smallmind").toString(), "build");
    }
    List<BenchReport> before = new ArrayList<>();
    List<BenchReport> after = new ArrayList<>();
    for (int pair = 1; pair <= pairs; pair++) {
      // Which side goes first changes, lest one always finds the machine warmer.
      boolean baseFirst = pair % 2 == 1;
      log.accept("pair " + pair + " of " + pairs);
      if (baseFirst) {
        before.add(bench(other, "base-" + pair, arguments));
      }
      after.add(bench(root, "head-" + pair, arguments));
      if (!baseFirst) {
        before.add(bench(other, "base-" + pair, arguments));
      }
    }
    return new Pair(merged(before), merged(after));
  }

  private BenchReport bench(Path tree, String name, List<String> arguments) throws IOException {
    Path json = work.resolve(name + ".json");
    List<String> command = new ArrayList<>();
    command.add(tree.resolve("scripts/smallmind").toString());
    command.add("bench");
    command.addAll(arguments);
    command.addAll(List.of("--json", json.toString()));
    output(tree, command.toArray(new String[0]));
    try {
      return JsonReport.read(json);
    } catch (JsonParseException e) {
      throw new IOException("the run in " + tree + " wrote no readable " + json, e);
    }
  }

  /** Takes the median of each run as a round; the rest is the first run's. */
  public static BenchReport merged(List<BenchReport> runs) {
    BenchReport first = runs.getFirst();
    List<BenchReport.ResultRow> rows = new ArrayList<>();
    for (BenchReport.ResultRow row : first.results()) {
      List<Double> medians = new ArrayList<>();
      for (BenchReport run : runs) {
        run.results().stream()
            .filter(one -> one.id().equals(row.id()))
            .findFirst()
            .map(BenchReport.ResultRow::nanos)
            .ifPresent(nanos -> medians.add(nanos.median()));
      }
      Statistics nanos = row.nanos();
      if (nanos != null && medians.size() == runs.size()) {
        double median =
            ChangeDetector.median(medians.stream().mapToDouble(Double::doubleValue).toArray());
        // The pairs stand for the machine's state: no reference is needed.
        rows.add(row.withNanos(nanos.withRounds(median, medians)).withoutReference());
      } else {
        rows.add(row);
      }
    }
    return first.withResults(rows);
  }

  private static String output(Path folder, String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toAbsolutePath().toFile())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String text =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor() != 0) {
        String last = text.substring(text.lastIndexOf('\n') + 1);
        throw new IOException(String.join(" ", command) + " failed: " + last);
      }
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return text;
  }
}
