package io.smallmind.bench.compare;

import com.google.gson.JsonParseException;
import io.smallmind.bench.host.Processes;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.JsonReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs programs to their end, one at a time, quietly. Another thread may stop the present one. */
public final class Programs {
  /** Exit code of shell scripts after Ctrl-C. */
  private static final int INTERRUPTED = 130;

  private @Nullable Process running;
  private boolean stopped;

  /** What a program printed, errors included. */
  public record Result(int exitCode, String text) {
    /** Returns the end of it, in one line. */
    public String complaint() {
      return Processes.complaint(text);
    }
  }

  /**
   * Runs a program.
   *
   * @throws IOException if it can't be started, or all were stopped
   */
  public Result run(Path folder, List<String> command) throws IOException {
    Process process =
        started(
            new ProcessBuilder(command)
                .directory(folder.toAbsolutePath().toFile())
                .redirectErrorStream(true));
    try {
      process.getOutputStream().close();
      byte[] text = process.getInputStream().readAllBytes();
      int exitCode = process.waitFor();
      synchronized (this) {
        if (stopped || exitCode == INTERRUPTED) {
          throw new IOException("stopped");
        }
      }
      return new Result(exitCode, new String(text, StandardCharsets.UTF_8).strip());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Processes.kill(process);
    }
  }

  private synchronized Process started(ProcessBuilder builder) throws IOException {
    if (stopped) {
      throw new IOException("stopped");
    }
    Process process = builder.start();
    running = process;
    return process;
  }

  /** Ends the program that is running with all that it has started, and starts no more. */
  public synchronized void stop() {
    stopped = true;
    if (running != null) {
      Processes.kill(running);
    }
  }

  /**
   * Runs a command of the bench that writes its figures.
   *
   * @param command without the option that says where
   * @throws IOException if it writes none, with what it said last
   */
  public BenchReport measure(List<String> command, Path json) throws IOException {
    Files.deleteIfExists(json);
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of("--json", json.toAbsolutePath().toString()));
    Result result = run(Path.of(""), all);
    // A wrong result of one backend has the exit code 1, and the figures of all others.
    if (!Files.exists(json)) {
      throw new IOException(
          String.join(" ", all) + ": exit code " + result.exitCode() + ": " + result.complaint());
    }
    try {
      return JsonReport.read(json);
    } catch (JsonParseException e) {
      throw new IOException(json + " can't be read: " + e.getMessage(), e);
    }
  }
}
