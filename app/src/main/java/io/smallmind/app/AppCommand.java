package io.smallmind.app;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Machine;
import io.smallmind.kernels.Team;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all commands share: the options that are the same everywhere, and how JSON is printed. */
abstract class AppCommand implements Callable<Integer> {
  private static final Gson GSON =
      new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

  /** Held, so that its level isn't forgotten with it. */
  private static final Logger LOG = Logger.getLogger("io.smallmind");

  private final Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Compute with this backend (see doctor), not the best one.")
  private @Nullable String backend;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Compute with so many threads, not one per physical core.")
  private @Nullable Integer threads;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable") // Looked at by the parser.
  private boolean help;

  AppCommand(Main main) {
    this.main = main;
    quiet();
  }

  /** Keeps notes about the choice of backend off the screen until somebody asks for them. */
  static void quiet() {
    LOG.setLevel(Level.WARNING);
  }

  @Option(
      names = {"-v", "--verbose"},
      description = "Tell what is done, and errors with their stack trace.")
  final void setVerbose(boolean verbose) {
    main.setVerbose(verbose);
    LOG.setLevel(verbose ? Level.INFO : Level.WARNING);
  }

  final boolean isVerbose() {
    return main.isVerbose();
  }

  final Console console() {
    return main.console();
  }

  /** Does the work, once the options that every command has are known to be fine. */
  abstract int execute() throws Exception;

  @Override
  public final Integer call() throws Exception {
    checkBackend();
    checkThreads();
    return execute();
  }

  private void checkBackend() {
    if (backend == null) {
      return;
    }
    KernelRegistry registry = KernelRegistry.get();
    if (registry.candidates().stream().noneMatch(one -> one.name().equals(backend))) {
      throw usage(
          "unknown backend '"
              + backend
              + "'; known are "
              + registry.candidates().stream()
                  .map(Candidate::name)
                  .collect(Collectors.joining(", ")));
    }
    registry.byName(backend);
  }

  private void checkThreads() {
    int most = Machine.availableProcessors();
    if (threads != null && (threads < 1 || threads > most)) {
      throw usage(
          "--threads " + threads + ": choose 1 to " + most + ", the processors of this machine");
    }
  }

  /** Returns the backend that was asked for, or null for the best one. */
  final @Nullable String backend() {
    return backend;
  }

  /** Returns the number of threads that was asked for, or 0 for the usual number. */
  final int threads() {
    return threads == null ? 0 : threads;
  }

  final Kernels kernels() {
    KernelRegistry registry = KernelRegistry.get();
    return backend == null ? registry.choose() : registry.byName(backend);
  }

  /** Runs work on a team of the wanted size. */
  final void withTeam(java.util.function.Consumer<Team> work) {
    if (threads() == 0) {
      work.accept(Team.shared());
    } else {
      try (Team team = new Team(threads())) {
        work.accept(team);
      }
    }
  }

  /** Makes the error of a wrong command line. */
  final ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  final void print(JsonElement json) {
    console().out().println(GSON.toJson(json));
  }

  /**
   * Prints a note for people: on standard error, and only if a person looks, or asked for notes.
   */
  final void note(String text) {
    if (console().errIsTerminal() || isVerbose()) {
      console().err().println(text);
      console().err().flush();
    }
  }
}
