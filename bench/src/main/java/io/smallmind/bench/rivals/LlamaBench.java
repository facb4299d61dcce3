package io.smallmind.bench.rivals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Any executable that understands llama-bench's options and prints its JSON: llama.cpp or
 * ik_llama.cpp as somebody built them. Each slice is a process, which loads the model and warms up
 * by itself; it tells a mean of all tokens only.
 */
public final class LlamaBench implements ModelRival {
  private static final long HELP_SECONDS = 20;

  private final String name;
  private final String told;
  private final Path executable;
  private final List<String> extra;
  private final Duration patience;

  /**
   * Creates an adapter.
   *
   * @param spec {@code [NAME=]PATH [more options]}, such as {@code ik=/opt/ik/llama-bench -rtr 1};
   *     the path of a file, or else the name of a file in a folder of the search path
   * @param patience how long a slice may take
   */
  public LlamaBench(String spec, Duration patience) {
    this.patience = patience;
    List<String> words = new ArrayList<>(Arrays.asList(spec.strip().split("\\s+")));
    String first = words.removeFirst();
    int equals = first.indexOf('=');
    name = equals < 0 ? "llama-bench" : first.substring(0, equals);
    told = first.substring(equals + 1);
    executable = find(told, Objects.requireNonNullElse(System.getenv("PATH"), ""));
    extra = List.copyOf(words);
  }

  /** Returns the file of this path, or else the first one of this name in a search path. */
  static Path find(String told, String searched) {
    Path file = Path.of(told);
    Stream<Path> places =
        file.getNameCount() > 1
            ? Stream.empty()
            : Stream.of(searched.split(File.pathSeparator)).flatMap(each -> in(each, told));
    return Stream.concat(Stream.of(file), places)
        .filter(LlamaBench::isProgram)
        .findFirst()
        .orElse(file)
        .toAbsolutePath();
  }

  /** Not that of a folder whose name can't be one: others wrote the search path. */
  private static Stream<Path> in(String folder, String name) {
    try {
      return Stream.of(Path.of(folder, name));
    } catch (InvalidPathException e) {
      return Stream.empty();
    }
  }

  private static boolean isProgram(Path file) {
    return Files.isExecutable(file) && !Files.isDirectory(file);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String missing() {
    return isProgram(executable) ? "" : "no executable " + told;
  }

  @Override
  public String detail() {
    return missing().isEmpty() ? "llama-bench " + String.join(" ", extra) : missing();
  }

  @Override
  public void install(Consumer<String> log) {
    log.accept(name + " is not fetched; build it, and name its llama-bench");
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    if (setup.sessions() > 1) {
      throw new IOException("llama-bench measures one session only");
    }
    Path folder = executable.getRoot();
    Commands.Result help =
        Commands.run(folder, HELP_SECONDS, List.of(executable.toString(), "--help"));
    String options = help.out() + help.err();
    return new Engine(setup, options.contains("--n-depth"), options.contains("-gp"));
  }

  private final class Engine implements ModelEngine {
    private final Setup setup;
    private final boolean hasDepth;
    private final boolean hasGenerationBehindPrompt;

    Engine(Setup setup, boolean hasDepth, boolean hasGenerationBehindPrompt) {
      this.setup = setup;
      this.hasDepth = hasDepth;
      this.hasGenerationBehindPrompt = hasGenerationBehindPrompt;
    }

    @Override
    public long[] prefill(int[] tokens, int depth) throws IOException {
      List<String> options = new ArrayList<>(List.of("-p", "" + tokens.length, "-n", "0"));
      if (depth > 0) {
        behind(depth, options);
      }
      return run(options, 1);
    }

    @Override
    public long[] decode(int[] tokens, int depth) throws IOException {
      List<String> options = new ArrayList<>(List.of("-p", "0"));
      if (depth > 0 && !hasDepth && hasGenerationBehindPrompt) {
        options.addAll(List.of("-n", "0", "-gp", depth + "," + tokens.length));
      } else {
        options.addAll(List.of("-n", "" + tokens.length));
        if (depth > 0) {
          behind(depth, options);
        }
      }
      return run(options, tokens.length);
    }

    private void behind(int depth, List<String> options) throws IOException {
      if (!hasDepth) {
        throw new IOException("this llama-bench has no option for a context before");
      }
      options.addAll(List.of("-d", "" + depth));
    }

    private long[] run(List<String> options, int perSample) throws IOException {
      List<String> command = new ArrayList<>(List.of(executable.toString()));
      String cache = setup.cacheType().toLowerCase(Locale.ROOT);
      command.addAll(
          List.of(
              "-m",
              setup.model().toAbsolutePath().toString(),
              "-t",
              "" + setup.threads(),
              "-ub",
              "" + setup.batchRows(),
              "-ctk",
              cache,
              "-ctv",
              cache,
              "-fa",
              "1",
              "-r",
              "1",
              "-o",
              "json"));
      command.addAll(options);
      command.addAll(extra);
      Commands.Result result = Commands.run(executable.getRoot(), patience.toSeconds(), command);
      if (result.exitCode() != 0) {
        throw new IOException("exit code " + result.exitCode() + ": " + result.complaint());
      }
      return samples(result.out(), perSample);
    }

    @Override
    public float[] scores(int[] tokens, int count) {
      return new float[0];
    }

    @Override
    public void close() {}
  }

  /**
   * Reads the times of all tests in llama-bench's JSON.
   *
   * @param perSample tokens that a sample is divided by
   * @throws IOException if there are none
   */
  static long[] samples(String json, int perSample) throws IOException {
    List<Long> nanos = new ArrayList<>();
    try {
      for (JsonElement test : JsonParser.parseString(json).getAsJsonArray()) {
        JsonObject one = test.getAsJsonObject();
        for (JsonElement sample : one.getAsJsonArray("samples_ns")) {
          nanos.add(sample.getAsLong() / perSample);
        }
      }
    } catch (RuntimeException e) {
      throw new IOException("its output is not the JSON of llama-bench", e);
    }
    if (nanos.isEmpty()) {
      throw new IOException("llama-bench measured nothing");
    }
    return nanos.stream().mapToLong(Long::longValue).toArray();
  }
}
