package io.smallmind.bench;

import picocli.CommandLine.Option;

/** The option that has other processes work beside the backends. */
final class BesideOption {
  private static final int MOST = 1024;

  @Option(
      names = "--beside",
      paramLabel = "N",
      description =
          "Have each backend take part once more, while N other processes keep a processor busy"
              + " each. Default: 0.")
  int beside;

  /** Returns the number of processes; 0 for none. */
  int processes(RunOptions options) {
    if (beside < 0 || beside > MOST) {
      throw options.usage("--beside: choose 0 to " + MOST + ", not " + beside);
    }
    return beside;
  }
}
