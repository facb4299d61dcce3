package io.smallmind.bench;

import io.smallmind.bench.report.BenchReport;
import io.smallmind.kernels.Candidate;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What the commands that measure have in common. */
abstract class MeasuringCommand implements Callable<Integer> {
  @ParentCommand private @Nullable Main main;

  @Spec private @Nullable CommandSpec spec;

  /** Returns where results are printed. */
  final PrintWriter out() {
    if (main == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    return main.terminal().out();
  }

  /** Runs plans and returns the exit code. */
  final int run(String name, RunOptions options, List<BenchRun.Plan> plans) throws IOException {
    return run(name, options, plans, List.of());
  }

  /**
   * Runs plans and returns the exit code.
   *
   * @param others that take part, for the report
   */
  final int run(
      String name, RunOptions options, List<BenchRun.Plan> plans, List<BenchReport.Library> others)
      throws IOException {
    if (main == null || spec == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    main.setVerbose(options.verbose);
    List<Candidate> candidates = main.candidates();
    List<String> arguments = spec.commandLine().getParseResult().originalArgs();
    return new BenchRun(
            name, arguments, options, candidates, main.terminal(), main.measuresMachine())
        .run(plans, others);
  }
}
