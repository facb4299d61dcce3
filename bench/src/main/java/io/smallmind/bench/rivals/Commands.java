package io.smallmind.bench.rivals;

import io.smallmind.bench.host.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs other programs to their end. */
final class Commands {
  private Commands() {}

  /** What a program printed. */
  record Result(int exitCode, String out, String err) {
    /** Returns the end of what it complained about, in one line. */
    String complaint() {
      return Processes.complaint(err.isBlank() ? out : err);
    }
  }

  /**
   * Runs a program.
   *
   * @param folder where it runs
   * @throws IOException if it can't be started, or takes longer
   */
  static Result run(Path folder, long seconds, List<String> command) throws IOException {
    Path out = Files.createTempFile("smallmind-bench", ".out");
    Path err = Files.createTempFile("smallmind-bench", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      try {
        process.getOutputStream().close();
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
          throw new IOException(
              Path.of(command.getFirst()).getFileName() + " gave no answer in " + seconds + " s");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while " + command.getFirst() + " was running", e);
      } finally {
        Processes.kill(process);
      }
      return new Result(process.exitValue(), read(out), read(err));
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
