package io.smallmind.bench;

import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line of the bench. Exit codes: 0 all is well, 1 a result was wrong or the work
 * failed, 2 the command line is wrong.
 */
@Command(
    name = "bench",
    description = "Measures every backend side by side, verified and interleaved.",
    subcommands = {
      MatmulCommand.class,
      OpsCommand.class,
      ModelCommand.class,
      SessionsCommand.class,
      LookupCommand.class,
      TrainCommand.class,
      ProfileCommand.class,
      LoadCommand.class,
      PeersCommand.class,
      CompareCommand.class,
      TrendCommand.class,
      ReportCommand.class,
      AllCommand.class
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Rates are medians; ± is the median deviation. limit is the share of what the",
      "machine can do at most, measured in the same rounds (for operations: of what the",
      "best plain C loop reaches). A backend with a wrong result is an error, not a row."
    })
public final class Main implements Runnable {
  static final int FAILED = 1;
  static final int USAGE = 2;

  private final Terminal terminal;
  private final Supplier<List<Candidate>> candidates;
  private final boolean measuresMachine;
  private boolean verbose;

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main(Terminal terminal, Supplier<List<Candidate>> candidates, boolean measuresMachine) {
    this.terminal = terminal;
    this.candidates = candidates;
    this.measuresMachine = measuresMachine;
  }

  /** Runs the bench and ends the process. */
  public static void main(String[] args) {
    System.exit(
        run(
            args,
            Terminal.system(),
            () -> SlowedKernels.where(KernelRegistry.get().candidates()),
            true));
  }

  /**
   * Runs the bench.
   *
   * @param candidates the implementations that exist, best first
   * @param measuresMachine whether its limits and other processes' load are measured too
   * @return the exit code
   */
  static int run(
      String[] args,
      Terminal terminal,
      Supplier<List<Candidate>> candidates,
      boolean measuresMachine) {
    Main main = new Main(terminal, candidates, measuresMachine);
    CommandLine jmh = new CommandLine(new JmhCommand());
    CommandLine commands = new CommandLine(main).addSubcommand("jmh", jmh);
    commands.setOut(terminal.out());
    commands.setErr(terminal.err());
    commands.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            terminal.colours() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
    commands.setUsageHelpWidth(terminal.width());
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    jmh.setUnmatchedOptionsArePositionalParams(true);
    commands.setParameterExceptionHandler((e, arguments) -> main.usageError(e));
    commands.setExecutionExceptionHandler((e, line, parsed) -> main.failure(e));
    return commands.execute(args);
  }

  /** Without a command there is nothing to do but to say which there are. */
  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "name a command: matmul, ops, model, sessions, lookup, train, load, profile, peers, all,"
            + " compare, trend, report or jmh");
  }

  /**
   * Refuses what is no command that measures.
   *
   * @param arguments a command and its options
   * @throws ParameterException if it is none, or an option is wrong
   */
  void check(List<String> arguments) {
    CommandLine.ParseResult parsed =
        new CommandLine(new Main(terminal, candidates, measuresMachine))
            .parseArgs(arguments.toArray(new String[0]));
    CommandLine.ParseResult command = parsed.subcommand();
    if (command == null || !(command.commandSpec().userObject() instanceof MeasuringCommand)) {
      throw new ParameterException(
          spec.commandLine(), "'" + String.join(" ", arguments) + "' measures nothing");
    }
  }

  Terminal terminal() {
    return terminal;
  }

  List<Candidate> candidates() {
    return candidates.get();
  }

  boolean measuresMachine() {
    return measuresMachine;
  }

  void setVerbose(boolean verbose) {
    this.verbose = verbose;
  }

  private int usageError(ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    terminal.err().println("error: " + e.getMessage() + " (see " + command + " --help)");
    return USAGE;
  }

  private int failure(Exception e) {
    String message = e.getMessage();
    terminal.err().println("error: " + (message == null ? e.getClass().getSimpleName() : message));
    if (verbose) {
      e.printStackTrace(terminal.err());
    }
    return FAILED;
  }
}
