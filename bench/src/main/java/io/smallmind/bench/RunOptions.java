package io.smallmind.bench;

import io.smallmind.bench.measure.Pace;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Machine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that every measuring command has. */
final class RunOptions {
  private static final long QUICK_SLICE = 30_000_000;
  private static final long SLICE = 150_000_000;
  private static final long QUICK_WARM_UP = 800_000_000;
  private static final long WARM_UP = 3_000_000_000L;
  private static final int QUICK_ROUNDS = 3;
  private static final int ROUNDS = 7;
  private static final long QUICK_CAP = 100_000_000;
  private static final long CAP = 1_000_000_000;
  private static final int LONG_QUICK_ROUNDS = 2;
  private static final int LONG_ROUNDS = 5;
  private static final long LONG_WARM_UP = 1_500_000_000;
  private static final long LONG_CAP = 60_000_000_000L;
  private static final double LONGEST_SECONDS = 1e9;
  private static final int MOST_ROUNDS = 10_000;

  static final String JSON = "--json";

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--backends",
      split = ",",
      paramLabel = "NAME",
      description =
          "Backends to compare: names, or families (native = the best native one), or all."
              + " Default: native,vector,scalar.")
  @Nullable List<String> backends;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "N",
      description = "Numbers of threads. Default: 1 and the physical cores.")
  @Nullable List<Integer> threads;

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description =
          "Rounds in which the contestants take turns. Default: 7, quick 3; models 5, quick 2.")
  @Nullable Integer repeat;

  @Option(
      names = "--cap",
      paramLabel = "SECONDS",
      description = "Leave out what takes longer in one call. Default: 1, quick 0.1; models 60.")
  @Nullable Double cap;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "Longest wait for times to get stable. Default: 3, quick 0.8; models 1.5.")
  @Nullable Double warmUp;

  @Option(names = "--quick", description = "Fewer sizes, shorter turns: a first look.")
  boolean quick;

  @Option(
      names = JSON,
      paramLabel = "FILE",
      description = "Also write everything that was measured into a file.")
  @Nullable Path json;

  @Option(names = "--verbose", description = "Show where an error came from.")
  boolean verbose;

  private boolean longCalls;

  /** Adapts what is not said to calls that take seconds, which plain Java has no hope for. */
  void longCalls() {
    longCalls = true;
  }

  /** Returns the chosen backends, best first. */
  List<Kernels> kernels(List<Candidate> candidates) {
    if (backends == null) {
      List<Kernels> standard = BackendChoice.standard(candidates);
      List<Kernels> fast =
          standard.stream().filter(one -> !one.name().startsWith("scalar")).toList();
      return longCalls && !fast.isEmpty() ? fast : standard;
    }
    try {
      return BackendChoice.named(candidates, backends);
    } catch (UnknownBackendException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  /** Returns the numbers of threads, in ascending order. */
  List<Integer> threadCounts() {
    TreeSet<Integer> counts = new TreeSet<>();
    if (threads == null) {
      counts.add(1);
      counts.add(Machine.computeThreads());
    } else {
      int processors = Machine.availableProcessors();
      for (int count : threads) {
        if (count < 1 || count > processors) {
          throw usage("--threads: choose 1 to " + processors + ", not " + count);
        }
        counts.add(count);
      }
    }
    return List.copyOf(counts);
  }

  /** Returns how long to measure. */
  Pace pace() {
    int standard =
        longCalls ? (quick ? LONG_QUICK_ROUNDS : LONG_ROUNDS) : quick ? QUICK_ROUNDS : ROUNDS;
    int rounds = repeat == null ? standard : repeat;
    if (rounds < 1 || rounds > MOST_ROUNDS) {
      throw usage("--repeat: choose 1 to " + MOST_ROUNDS + ", not " + rounds);
    }
    return new Pace(
        rounds,
        quick ? QUICK_SLICE : SLICE,
        nanos("--warm-up", warmUp, quick ? QUICK_WARM_UP : longCalls ? LONG_WARM_UP : WARM_UP),
        nanos("--cap", cap, longCalls ? LONG_CAP : quick ? QUICK_CAP : CAP));
  }

  private long nanos(String option, @Nullable Double seconds, long standard) {
    if (seconds == null) {
      return standard;
    }
    if (!(seconds > 0 && seconds < LONGEST_SECONDS)) {
      throw usage(option + ": choose a time above 0 seconds, not " + seconds);
    }
    return (long) (seconds * 1e9);
  }

  /** Refuses a file that can't be written, before hours are spent on what goes into it. */
  void checkJson() {
    Path file = json;
    if (file == null) {
      return;
    }
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || folder == null || !Files.isWritable(folder)) {
      throw usage("--json: can't write " + file + "; name a file in a folder that is writable");
    }
  }

  /** Tells whether an option of the command is given. */
  boolean isSaid(String option) {
    return spec != null && spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  /** Returns an error about the options. */
  ParameterException usage(String message) {
    if (spec == null) {
      throw new IllegalStateException("options are used outside of a command");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
