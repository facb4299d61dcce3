package io.smallmind.bench.startup;

import io.smallmind.bench.host.JavaCommand;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/** A step of a fresh process; each call is a process. */
public final class StartupTrial extends Trial {
  private static final String CACHE = "org.bytedeco.javacpp.cachedir";

  /** Where class loading by way of the bench's own start would count, one thread suffices. */
  private static final int THREADS = 1;

  private final Startup step;
  private final String backend;
  private final boolean cold;
  private final Map<String, Double> figures = new LinkedHashMap<>();

  private StartupTrial(Startup step, String backend, boolean cold) {
    super(
        backend.isEmpty() ? "java" : backend, backend.isEmpty() ? Role.BASELINE : Role.BACKEND, 1);
    this.step = step;
    this.backend = backend;
    this.cold = cold;
  }

  /** A workload to come. */
  public record Case(String title, Function<Contestants, Workload> workload) {}

  /** Returns the cases of this measurement. */
  public static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Startup step : Startup.values()) {
      for (boolean cold :
          step == Startup.JVM ? new boolean[] {false} : new boolean[] {true, false}) {
        String size = cold ? "cold" : "warm";
        cases.add(new Case(step.title() + ", " + size, all -> workload(all, step, size, cold)));
      }
    }
    return cases;
  }

  private static Workload workload(Contestants all, Startup step, String size, boolean cold) {
    List<Trial> trials = new ArrayList<>();
    if (step == Startup.JVM) {
      trials.add(new StartupTrial(step, "", cold));
    } else {
      for (Kernels kernels : all.kernels()) {
        // Only native code is unpacked.
        if (!cold || kernels.name().startsWith("native-")) {
          trials.add(new StartupTrial(step, kernels.name(), cold));
        }
      }
    }
    return new Workload(
        "startup",
        step.title(),
        size,
        Map.of("cold", cold ? 1L : 0L),
        0,
        0,
        0,
        Metric.CALLS,
        null,
        "",
        trials,
        List.of());
  }

  /** The first process says whether its result is right. */
  @Override
  public Verdict verify() {
    String[] answer = run();
    boolean right = answer.length == 2 && answer[1].equals("true");
    return right ? new Verdict(1, 0, "") : new Verdict(1, 1e9, "its result is wrong");
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    long begin = System.nanoTime();
    String[] answer = run();
    nanos.accept(step == Startup.JVM ? System.nanoTime() - begin : Long.parseLong(answer[0]));
    return true;
  }

  private String[] run() {
    Path folder = null;
    try {
      List<String> options = new ArrayList<>();
      options.addAll(List.of("--add-modules", "jdk.incubator.vector"));
      options.add("--enable-native-access=ALL-UNNAMED");
      options.add("-Dsmallmind.threads=" + THREADS);
      if (!backend.isEmpty()) {
        options.add("-D" + KernelRegistry.BACKEND_PROPERTY + "=" + backend);
      }
      if (cold) {
        folder = Files.createTempDirectory("smallmind-startup");
        options.add("-D" + CACHE + "=" + folder);
      } else if (System.getProperty(CACHE) != null) {
        options.add("-D" + CACHE + "=" + System.getProperty(CACHE));
      }
      String text = output(JavaCommand.of(options, StartupProbe.class, step.name()));
      if (folder != null) {
        figures.put("unpackedBytes", (double) size(folder));
      }
      return text.substring(text.lastIndexOf('\n') + 1).split(" ");
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    } finally {
      if (folder != null) {
        delete(folder);
      }
    }
  }

  private static String output(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    process.getOutputStream().close();
    String text =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor() != 0) {
        throw new IOException("the process ended with exit code " + process.exitValue());
      }
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return text;
  }

  private static long size(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public Map<String, Double> figures() {
    return figures;
  }

  @Override
  public void call() {
    throw new IllegalStateException("a process times itself");
  }
}
