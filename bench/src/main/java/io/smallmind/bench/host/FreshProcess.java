package io.smallmind.bench.host;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What a process printed that ran to its end.
 *
 * @param lines of its standard output
 * @param firstLineNanos from its start to its first line; 0 if there is none
 * @param nanos from its start to its end
 */
public record FreshProcess(List<String> lines, long firstLineNanos, long nanos) {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /**
   * Runs a program.
   *
   * @throws IOException if it can't be started, fails, or takes minutes, with what it said last
   */
  public static FreshProcess run(List<String> command) throws IOException {
    return run(command, PATIENCE);
  }

  /** Runs a program that is killed if it takes longer. */
  static FreshProcess run(List<String> command, Duration patience) throws IOException {
    Path errors = Files.createTempFile("smallmind-bench", ".err");
    try {
      long begin = System.nanoTime();
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      AtomicBoolean late = new AtomicBoolean();
      Thread watch = Thread.ofVirtual().start(() -> watch(process, patience, late));
      try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
        process.getOutputStream().close();
        List<String> lines = new ArrayList<>();
        long firstLineNanos = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          firstLineNanos = lines.isEmpty() ? System.nanoTime() - begin : firstLineNanos;
          lines.add(line);
        }
        int exitCode = process.waitFor();
        long nanos = System.nanoTime() - begin;
        if (late.get()) {
          throw new IOException("the process took more than " + patience.toMillis() / 1e3 + " s");
        }
        if (exitCode != 0) {
          String said =
              Processes.complaint(new String(Files.readAllBytes(errors), StandardCharsets.UTF_8));
          throw new IOException(
              "the process ended with exit code " + exitCode + (said.isEmpty() ? "" : ": " + said));
        }
        return new FreshProcess(List.copyOf(lines), firstLineNanos, nanos);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      } finally {
        watch.interrupt();
        Processes.kill(process);
      }
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  private static void watch(Process process, Duration patience, AtomicBoolean late) {
    try {
      if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        late.set(true); // First: whoever reads sees the end while it is killed.
        Processes.kill(process);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // It ended in time.
    }
  }
}
