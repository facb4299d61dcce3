package io.smallmind.bench.rivals;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import io.smallmind.bench.host.Processes;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A process that answers requests: one JSON object per line on its standard input, one per line on
 * its standard output. If it ends, that is an error of the request, with what it said last.
 */
final class LineProcess implements AutoCloseable {
  private static final Gson GSON = new Gson();
  private static final long END_SECONDS = 3;

  private static final ScheduledExecutorService WATCH =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("smallmind-bench-watch").unstarted(task));

  private final Process process;
  private final Duration patience;
  private final Path errors;
  private final BufferedReader in;
  private final BufferedWriter out;

  /**
   * Starts it.
   *
   * @param folder where it runs
   * @param environment more of it than this process has
   * @param patience how long an answer may take; who takes longer is killed
   */
  LineProcess(Path folder, List<String> command, Map<String, String> environment, Duration patience)
      throws IOException {
    this.patience = patience;
    errors = Files.createTempFile("smallmind-bench", ".err");
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectError(errors.toFile());
    builder.environment().putAll(environment);
    process = builder.start();
    in = process.inputReader(StandardCharsets.UTF_8);
    out = process.outputWriter(StandardCharsets.UTF_8);
  }

  /**
   * Asks something and returns the answer.
   *
   * @throws IOException if the process ended, answers with an error, or takes too long
   */
  JsonObject ask(Map<String, Object> request) throws IOException {
    String answer = null;
    AtomicBoolean late = new AtomicBoolean();
    ScheduledFuture<?> watch =
        WATCH.schedule(
            () -> {
              late.set(true); // First: whoever reads sees the end while its children are killed.
              Processes.kill(process);
            },
            patience.toMillis(),
            TimeUnit.MILLISECONDS);
    try {
      out.write(GSON.toJson(request));
      out.newLine();
      out.flush();
      answer = in.readLine();
    } catch (IOException e) {
      // It ended, of its own or killed.
    } finally {
      watch.cancel(false);
    }
    if (late.get()) {
      throw new IOException("gave no answer in " + seconds());
    }
    if (answer == null) {
      throw ended();
    }
    JsonObject object;
    try {
      object = JsonParser.parseString(answer).getAsJsonObject();
    } catch (JsonSyntaxException | IllegalStateException e) {
      throw new IOException("its answer is no JSON object: " + answer, e);
    }
    if (object.has("error")) {
      throw new IOException(object.get("error").getAsString());
    }
    return object;
  }

  private String seconds() {
    return patience.toMillis() % 1000 == 0
        ? patience.toSeconds() + " s"
        : patience.toMillis() / 1e3 + " s";
  }

  private IOException ended() {
    try {
      boolean ended = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
      String how = ended ? "ended with exit code " + process.exitValue() : "closed its output";
      String said =
          Processes.complaint(new String(Files.readAllBytes(errors), StandardCharsets.UTF_8));
      return new IOException("the process " + how + (said.isEmpty() ? "" : ": " + said));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new IOException("interrupted", e);
    } catch (IOException e) {
      return e;
    }
  }

  @Override
  public void close() {
    try {
      out.close();
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        Processes.kill(process);
      }
    } catch (IOException e) {
      Processes.kill(process); // It ended before.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      Processes.kill(process);
    }
    try {
      in.close();
      Files.deleteIfExists(errors);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
