package io.smallmind.natives;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A JVM of its own that runs a program with chosen flags and class path. */
final class Fork {
  /**
   * How it ended.
   *
   * @param output what it printed, standard error included
   */
  record Result(int exitCode, String output) {
    /** Returns the rest of the line that begins with this word; empty if there is none. */
    String line(String word) {
      return output
          .lines()
          .filter(line -> line.startsWith(word + " "))
          .findFirst()
          .map(line -> line.substring(word.length() + 1))
          .orElse("");
    }
  }

  private static final long SECONDS = 120;

  private final List<String> flags = new ArrayList<>();
  private final List<String> classPath;
  private List<String> wrapper = List.of();

  private Fork(List<String> classPath) {
    this.classPath = new ArrayList<>(classPath);
  }

  /** Returns a JVM with the class path of the tests. */
  static Fork withTestClassPath() {
    return new Fork(Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator)));
  }

  /** Returns a JVM with this class path. */
  static Fork withClassPath(Path... entries) {
    return new Fork(Arrays.stream(entries).map(Path::toString).toList());
  }

  Fork flags(String... more) {
    flags.addAll(List.of(more));
    return this;
  }

  /** Keeps the caches of JavaCPP and ours in this folder. */
  Fork cache(Path folder) {
    return flags("-D" + LibraryCache.FOLDER_PROPERTY + "=" + folder);
  }

  Fork without(Predicate<String> entries) {
    classPath.removeIf(entries);
    return this;
  }

  Fork before(Path entry) {
    classPath.addFirst(entry.toString());
    return this;
  }

  /** Runs the JVM by a shell command that ends with {@code exec "$@"}. */
  Fork inShell(String... command) {
    wrapper = List.of(command);
    return this;
  }

  List<String> classPath() {
    return List.copyOf(classPath);
  }

  Result run(String... program) {
    List<String> command = new ArrayList<>(wrapper);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    if (!classPath.isEmpty()) {
      command.add("-cp");
      command.add(String.join(File.pathSeparator, classPath));
    }
    command.addAll(List.of(program));
    return execute(command);
  }

  static Result execute(List<String> command) {
    return execute(command, System.getenv());
  }

  /** Runs a command with these environment variables and no others. */
  static Result execute(List<String> command, Map<String, String> environment) {
    try {
      Path output = Files.createTempFile("fork", ".txt");
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().clear();
      builder.environment().putAll(environment);
      builder.environment().remove("JAVA_TOOL_OPTIONS");
      Process process = builder.redirectOutput(output.toFile()).start();
      process.getOutputStream().close();
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new IllegalStateException("still running after " + SECONDS + " s: " + command);
      }
      String text = Files.readString(output, StandardCharsets.UTF_8);
      Files.delete(output);
      return new Result(process.exitValue(), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
