package io.smallmind.bench;

import io.smallmind.kernels.Candidate;
import java.io.IOException;
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

  /** Runs plans and returns the exit code. */
  final int run(String name, RunOptions options, List<BenchRun.Plan> plans) throws IOException {
    if (main == null || spec == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    main.setVerbose(options.verbose);
    List<Candidate> candidates = main.candidates();
    List<String> arguments = spec.commandLine().getParseResult().originalArgs();
    return new BenchRun(name, arguments, options, candidates, main.terminal()).run(plans);
  }
}
