package io.smallmind.bench;

import io.smallmind.bench.compare.ChangeDetector;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say what is no change. */
final class ToleranceOptions {
  private static final double PERCENT = 100;
  private static final double MOST = 1000;
  private static final double DRIFT = 6;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--threshold",
      paramLabel = "PERCENT",
      description = "Smallest change that matters. Default: 5.")
  double threshold = 5;

  @Option(
      names = "--drift",
      paramLabel = "PERCENT",
      description =
          "How much the machine's speed changes by itself between runs that did not take turns:"
              + " a standard deviation. Default: 6, of a shared machine.")
  @Nullable Double drift;

  /** Returns what they say. */
  ChangeDetector.Tolerance tolerance() {
    if (!(threshold > 0 && threshold < MOST)) {
      throw usage("--threshold: choose more than 0 per cent, not " + threshold);
    }
    double percent = drift == null ? DRIFT : drift;
    if (!(percent >= 0 && percent < MOST)) {
      throw usage("--drift: choose 0 per cent or more, not " + drift);
    }
    return new ChangeDetector.Tolerance(threshold / PERCENT, percent / PERCENT);
  }

  private ParameterException usage(String message) {
    if (spec == null) {
      throw new IllegalStateException("options are used outside of a command");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
