package io.smallmind.bench;

import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;

/** Runs the bench's command line inside the test's JVM and keeps what it printed. */
final class BenchProcess {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final int exitCode;

  private BenchProcess(
      Map<String, String> environment,
      List<Candidate> candidates,
      boolean measuresMachine,
      String[] args) {
    boolean terminal = environment.containsKey("TERM");
    Terminal output =
        new Terminal(new PrintWriter(out), new PrintWriter(err), terminal, terminal, environment);
    exitCode = Main.run(args, output, () -> candidates, measuresMachine);
    output.out().flush();
    output.err().flush();
  }

  /** Runs with the backends of this machine, its output in a file. */
  static BenchProcess run(String... args) {
    return new BenchProcess(Map.of(), KernelRegistry.get().candidates(), false, args);
  }

  /** Runs with the machine's limits, which take seconds. */
  static BenchProcess runWithLimits(String... args) {
    return new BenchProcess(Map.of(), KernelRegistry.get().candidates(), true, args);
  }

  /** Runs with other backends. */
  static BenchProcess run(List<Candidate> candidates, String... args) {
    return new BenchProcess(Map.of(), candidates, false, args);
  }

  /** Runs on a terminal, if the variable TERM is set. */
  static BenchProcess run(Map<String, String> environment, String... args) {
    return new BenchProcess(environment, KernelRegistry.get().candidates(), false, args);
  }

  int exitCode() {
    return exitCode;
  }

  String out() {
    return out.toString();
  }

  String err() {
    return err.toString();
  }
}
