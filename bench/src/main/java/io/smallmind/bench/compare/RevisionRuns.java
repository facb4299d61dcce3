package io.smallmind.bench.compare;

import io.smallmind.bench.host.AtExit;
import io.smallmind.bench.host.HostReader;
import io.smallmind.bench.report.BenchReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs another revision of this repository and the present state in alternation, each time in new
 * processes, so that a noisy machine hits both alike.
 */
public final class RevisionRuns {
  /** Hears what is going on. */
  @FunctionalInterface
  public interface Listener {
    /** Comes before each of so many steps. */
    void at(int step, int steps, String text);
  }

  /** How many steps come before the first one that measures. */
  public static final int BUILDS = 2;

  private static final String BASE = "base";
  private static final String HEAD = "head";

  private final Programs programs = new Programs();
  private final Path root;
  private final Path work;
  private final String commit;

  private RevisionRuns(Path root, String commit) {
    this.root = root;
    this.work = root.resolve("target/compare");
    this.commit = commit;
  }

  /**
   * Looks a revision up.
   *
   * @param revision as git names it
   * @throws IllegalArgumentException if there is no such revision
   * @throws IOException if this is no repository
   */
  public static RevisionRuns of(String revision) throws IOException {
    Programs programs = new Programs();
    Path root = WorkTree.top(programs, HostReader.sources());
    String commit = WorkTree.commit(programs, root, revision);
    if (commit.isEmpty()) {
      throw new IllegalArgumentException(
          "no revision '"
              + revision
              + "' in "
              + root
              + "; name a branch, a tag or a commit, or git fetch it");
    }
    return new RevisionRuns(root, commit);
  }

  /** Returns the folder that keeps the figures of each run, in one folder for each side. */
  public Path figures() {
    return work;
  }

  /**
   * Measures both. Whatever happens, also when this process is stopped, nothing goes on running.
   *
   * @param pairs how often each side runs
   * @param jvmOptions of both
   * @param arguments of the bench, its command first
   * @param keep whether the other revision stays built for the next time
   * @throws IOException if the revision can't be built, or a run writes no figures
   */
  public Sides measure(
      int pairs, List<String> jvmOptions, List<String> arguments, boolean keep, Listener listener)
      throws IOException {
    int steps = BUILDS + 2 * pairs;
    WorkTree tree = new WorkTree(root, work, commit);
    try (AtExit cleaning = new AtExit(() -> end(tree, keep))) {
      for (String side : List.of(BASE, HEAD)) {
        clear(work.resolve(side));
      }
      listener.at(0, steps, "building " + tree.name());
      tree.checkOut(programs);
      build(tree.folder());
      listener.at(BUILDS - 1, steps, "building the present state");
      build(root);
      List<BenchReport> base = new ArrayList<>();
      List<BenchReport> head = new ArrayList<>();
      for (int pair = 1; pair <= pairs; pair++) {
        // Which side goes first changes, lest one always finds the machine warmer.
        for (boolean before : pair % 2 == 1 ? List.of(true, false) : List.of(false, true)) {
          listener.at(
              BUILDS + base.size() + head.size(),
              steps,
              "pair " + pair + " of " + pairs + ", " + (before ? tree.name() : "present state"));
          Path json = work.resolve(before ? BASE : HEAD).resolve(pair + ".json");
          (before ? base : head)
              .add(
                  programs.measure(
                      command(before ? tree.folder() : root, jvmOptions, arguments), json));
        }
      }
      return new Sides(MergedRuns.of(base), MergedRuns.of(head), true);
    }
  }

  /** Makes an empty folder. */
  private static void clear(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> old = Files.list(folder)) {
      for (Path file : old.toList()) {
        Files.delete(file);
      }
    }
  }

  private void end(WorkTree tree, boolean keep) {
    programs.stop();
    if (!keep) {
      tree.remove();
    }
  }

  private static List<String> command(Path tree, List<String> jvmOptions, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(tree.resolve("scripts/smallmind").toString());
    command.addAll(jvmOptions);
    command.add("bench");
    command.addAll(arguments);
    return command;
  }

  /** The launcher builds what a command needs before it runs it. */
  private void build(Path tree) throws IOException {
    Programs.Result result = programs.run(root, command(tree, List.of(), List.of("--help")));
    if (result.exitCode() != 0) {
      Path log = tree.resolve("target/launcher/build.log");
      Path kept = work.resolve("build.log");
      if (Files.exists(log)) {
        Files.copy(log, kept, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.writeString(kept, result.text());
      }
      throw new IOException(
          tree.getFileName() + " can't be built: " + result.complaint() + "; see " + kept);
    }
  }
}
