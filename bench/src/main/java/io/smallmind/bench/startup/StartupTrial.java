package io.smallmind.bench.startup;

import io.smallmind.bench.host.FreshProcess;
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
import org.jspecify.annotations.Nullable;

/** A step of a fresh process; each call is a process. */
public final class StartupTrial extends Trial {
  /** Where class loading by way of the bench's own start would count, one thread suffices. */
  private static final int THREADS = 1;

  private final Startup step;
  private final String backend;
  private final boolean cold;
  private final Map<String, Double> figures = new LinkedHashMap<>();
  private @Nullable FreshProcess first;

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

  /** The first process tells how long they take, and its result is checked. */
  @Override
  public double estimateNanos() {
    first = run();
    return first.nanos();
  }

  @Override
  public Verdict verify() {
    FreshProcess process = first;
    String[] answer = answer(process == null ? run() : process);
    boolean right = answer.length == 2 && answer[1].equals("true");
    return right ? new Verdict(1, 0, "") : new Verdict(1, 1e9, "its result is wrong");
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    FreshProcess process = run();
    nanos.accept(step == Startup.JVM ? process.nanos() : Long.parseLong(answer(process)[0]));
    return true;
  }

  private static String[] answer(FreshProcess process) {
    return process.lines().isEmpty() ? new String[0] : process.lines().getLast().split(" ");
  }

  private FreshProcess run() {
    Path folder = null;
    try {
      List<String> options =
          new ArrayList<>(cold ? JavaCommand.computing() : JavaCommand.computingHere());
      options.add("-Dsmallmind.threads=" + THREADS);
      if (!backend.isEmpty()) {
        options.add("-D" + KernelRegistry.BACKEND_PROPERTY + "=" + backend);
      }
      if (cold) {
        folder = Files.createTempDirectory("smallmind-startup");
        options.add(JavaCommand.natives(folder.toString()));
      }
      FreshProcess process =
          FreshProcess.run(JavaCommand.of(options, StartupProbe.class, step.name()));
      if (folder != null) {
        figures.put("unpackedBytes", (double) size(folder));
      }
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    } finally {
      if (folder != null) {
        delete(folder);
      }
    }
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
