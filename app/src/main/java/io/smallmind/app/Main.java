package io.smallmind.app;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.SmallMindException;
import io.smallmind.error.UnsupportedFormatException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line. Exit codes: 0 done, 1 the work failed, 2 the command line is wrong, 3 the model
 * file is bad or not supported, 130 Ctrl-C stopped the work. Errors are one line on standard error.
 */
@Command(
    name = "smallmind",
    description = "Runs language models on the CPU.",
    mixinStandardHelpOptions = true,
    version = "SmallMind 0.1.0",
    footer = {
      "",
      "Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 the model file is bad or",
      "not supported, 130 stopped by Ctrl-C."
    })
public final class Main implements Runnable {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int BAD_MODEL = 3;

  /** What shells report of a process that Ctrl-C ended. */
  static final int INTERRUPTED = 130;

  private final Console console;
  private boolean verbose;

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main(Console console) {
    this.console = console;
  }

  /** Runs a command and ends the process. */
  public static void main(String[] args) {
    String format = "java.util.logging.SimpleFormatter.format";
    if (System.getProperty(format) == null) {
      System.setProperty(format, "%4$s: %5$s%6$s%n");
    }
    System.exit(run(args, Console.system()));
  }

  /**
   * Runs a command inside this process, as if no terminal was there.
   *
   * @param in standard input of the command
   * @param out receives its results
   * @param err receives its errors and notes
   * @return the exit code
   */
  public static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
    return run(args, Console.plain(in, out, err));
  }

  static int run(String[] args, Console console) {
    Main main = new Main(console);
    CommandLine commands = main.commandLine();
    try {
      return commands.execute(args);
    } catch (StackOverflowError | OutOfMemoryError e) {
      return main.failure(e);
    } finally {
      console.out().flush();
      console.err().flush();
    }
  }

  private CommandLine commandLine() {
    CommandLine commands = new CommandLine(this);
    Map<String, AppCommand> all = new java.util.LinkedHashMap<>();
    all.put("story", new StoryCommand(this));
    all.put("generate", new GenerateCommand(this));
    all.put("chat", new ChatCommand(this));
    all.put("inspect", new InspectCommand(this));
    all.put("tokenize", new TokenizeCommand(this));
    all.put("quantize", new QuantizeCommand(this));
    all.put("perplexity", new PerplexityCommand(this));
    all.put("embed", new EmbedCommand(this));
    all.put("synth", new SynthCommand(this));
    all.put("train", new TrainCommand(this));
    all.put("finetune", new FinetuneCommand(this));
    all.put("doctor", new DoctorCommand(this));
    all.forEach(commands::addSubcommand);
    commands.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
    commands.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
    commands.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            console.colours() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
    commands.setUsageHelpWidth(console.width());
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setExpandAtFiles(false); // A prompt may begin with @.
    commands.setParameterExceptionHandler((e, arguments) -> usageError(e));
    commands.setExecutionExceptionHandler((e, line, parsed) -> failure(e));
    return commands;
  }

  /** Without a command there is nothing to do but to say which there are. */
  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "name a command: " + String.join(", ", spec.commandLine().getSubcommands().keySet()));
  }

  Console console() {
    return console;
  }

  boolean isVerbose() {
    return verbose;
  }

  void setVerbose(boolean verbose) {
    this.verbose = verbose;
  }

  private int usageError(ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    report(e.getMessage() + " (see " + command + " --help)", e);
    return USAGE;
  }

  private int failure(Throwable e) {
    report(describe(e), e);
    return exitCode(e);
  }

  private static int exitCode(Throwable e) {
    if (e instanceof BadModelFileException || e instanceof UnsupportedFormatException) {
      return BAD_MODEL;
    }
    return e instanceof BadArgumentException ? USAGE : FAILED;
  }

  private static String describe(Throwable e) {
    if (e instanceof SmallMindException) {
      return String.valueOf(e.getMessage());
    }
    if (e instanceof java.nio.file.NoSuchFileException) {
      return e.getMessage() + ": no such file; check the path";
    }
    if (e instanceof java.nio.file.AccessDeniedException) {
      return e.getMessage() + ": permission denied; check its permissions";
    }
    if (e instanceof OutOfMemoryError) {
      return "no Java heap memory is left (" + e.getMessage() + "); raise -Xmx";
    }
    String kind = e.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    return e.getMessage() == null ? kind : kind + ": " + e.getMessage();
  }

  /** Joins lines, and leaves out characters with which a file's names could steer a terminal. */
  private static String oneLine(String message) {
    return message
        .strip()
        .replaceAll("\\s*\\R\\s*", " ")
        .replaceAll("[\\p{Cntrl}\u0080-\u009f]", "?");
  }

  private void report(String message, Throwable e) {
    console.out().flush();
    console.err().println("error: " + oneLine(message));
    if (verbose) {
      e.printStackTrace(console.err());
    }
    console.err().flush();
  }
}
