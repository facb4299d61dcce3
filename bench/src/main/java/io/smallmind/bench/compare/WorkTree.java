package io.smallmind.bench.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Another revision of this repository, checked out beside the present state. */
final class WorkTree {
  private static final int SHORT = 12;

  private final Path root;
  private final Path folder;
  private final String commit;

  /**
   * Names one.
   *
   * @param below folder of work trees
   */
  WorkTree(Path root, Path below, String commit) {
    this.root = root;
    this.folder = below.resolve(commit.substring(0, SHORT));
    this.commit = commit;
  }

  /** Returns its folder. */
  Path folder() {
    return folder;
  }

  /** Returns the first digits of the commit. */
  String name() {
    return commit.substring(0, SHORT);
  }

  /**
   * Returns the top of the repository that a folder lies in.
   *
   * @throws IOException if it lies in none
   */
  static Path top(Programs programs, Path inside) throws IOException {
    return Path.of(git(programs, inside, "rev-parse", "--show-toplevel"));
  }

  /**
   * Returns the full name of a commit; empty if there is none of that name.
   *
   * @throws IOException if git can't be started
   */
  static String commit(Programs programs, Path root, String revision) throws IOException {
    Programs.Result found =
        programs.run(
            root,
            List.of(
                "git",
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                revision + "^{commit}"));
    return found.exitCode() == 0 ? found.text() : "";
  }

  /**
   * Checks the commit out; one that is there from before is taken as it is.
   *
   * @throws IOException if git can't, with its reason
   */
  void checkOut(Programs programs) throws IOException {
    if (!isThere(programs)) {
      remove();
      Files.createDirectories(folder);
      git(programs, root, "worktree", "add", "--detach", folder.toString(), commit);
    }
  }

  private boolean isThere(Programs programs) throws IOException {
    return Files.exists(folder.resolve(".git"))
        && git(programs, folder, "rev-parse", "HEAD").equals(commit);
  }

  /** Takes the folder away, and git's note of it. */
  void remove() {
    Programs programs = new Programs(); // Others may have been stopped.
    try {
      programs.run(root, List.of("git", "worktree", "remove", "--force", folder.toString()));
      delete(folder);
      programs.run(root, List.of("git", "worktree", "prune"));
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " can't be removed: " + e.getMessage(), e);
    }
  }

  /** Deletes what a build may have written while git was removing. */
  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static String git(Programs programs, Path folder, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(arguments));
    Programs.Result result = programs.run(folder, command);
    if (result.exitCode() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + result.complaint());
    }
    return result.text();
  }
}
