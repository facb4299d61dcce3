package io.smallmind.bench;

import com.google.gson.JsonParseException;
import io.smallmind.bench.compare.RevisionRuns;
import io.smallmind.bench.compare.RunComparison;
import io.smallmind.bench.compare.Scorecard;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.JsonReport;
import io.smallmind.bench.report.Style;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Tells whether a change made anything slower. */
@Command(
    name = "compare",
    description = "Tell whether one run is slower than another, beyond noise.",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 no worse, 1 slower, hungrier or no longer measured, 2 not comparable.",
      "bench compare BASE.json HEAD.json",
      "bench compare --run main -- matmul --types Q4_0 --sizes 512"
    })
final class CompareCommand implements Callable<Integer> {
  private static final int INCOMPARABLE = 2;
  private static final int MOST_PAIRS = 1000;

  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "FILE",
      arity = "0..*",
      description =
          "Results before and after: files, or folders of files from several runs of one build;"
              + " or, with --run, the bench's command and options.")
  List<String> arguments = new ArrayList<>();

  @Option(
      names = "--run",
      paramLabel = "REV",
      description =
          "Build this revision in a work tree below target, and measure it and the present"
              + " state in alternation.")
  @Nullable String revision;

  @Option(
      names = "--pairs",
      paramLabel = "N",
      description = "With --run: how often each side runs. Default: 7.")
  int pairs = 7;

  @Option(
      names = "--threshold",
      paramLabel = "PERCENT",
      description = "Smallest change that matters. Default: 5.")
  double threshold = 5;

  @Option(names = "--all", description = "Show rows that did not change too.")
  boolean all;

  @Override
  public Integer call() throws IOException {
    if (main == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    Terminal terminal = main.terminal();
    if (!(threshold > 0 && threshold < 1000)) {
      throw usage("--threshold: choose more than 0 per cent, not " + threshold);
    }
    BenchReport base;
    BenchReport head;
    if (revision != null) {
      if (arguments.isEmpty() || pairs < 3 || pairs > MOST_PAIRS) {
        throw usage("--run needs the bench's command behind --, and 3 to 1000 --pairs");
      }
      RevisionRuns.Pair both =
          RevisionRuns.measure(
              revision,
              pairs,
              arguments,
              line -> {
                terminal.err().println(line);
                terminal.err().flush();
              });
      base = both.base();
      head = both.head();
    } else {
      if (arguments.size() != 2) {
        throw usage("name two files, or folders of them: results before, and results after");
      }
      base = readAll(arguments.get(0));
      head = readAll(arguments.get(1));
    }
    RunComparison comparison = RunComparison.of(base, head, threshold / 100, revision != null);
    new Scorecard(terminal.out(), new Style(terminal.colours())).print(base, head, comparison, all);
    if (!comparison.incomparable().isEmpty()) {
      return INCOMPARABLE;
    }
    return comparison.isRegression() ? Main.FAILED : 0;
  }

  /** Reads a file, or a folder's files as runs of one build: each of them is a round then. */
  private BenchReport readAll(String name) throws IOException {
    Path folder = Path.of(name);
    if (!Files.isDirectory(folder)) {
      return read(name);
    }
    List<BenchReport> runs = new ArrayList<>();
    try (Stream<Path> all = Files.list(folder)) {
      for (Path file : all.filter(one -> one.toString().endsWith(".json")).sorted().toList()) {
        runs.add(read(file.toString()));
      }
    }
    if (runs.stream().map(BenchReport::command).distinct().count() != 1) {
      throw usage(folder + ": runs of one command belong into a folder, and nothing else");
    }
    return RevisionRuns.merged(runs);
  }

  private BenchReport read(String name) throws IOException {
    Path file = Path.of(name);
    if (!Files.isRegularFile(file)) {
      throw usage("no file " + file);
    }
    try {
      return JsonReport.read(file);
    } catch (JsonParseException e) {
      throw usage(file + " is no result of the bench: " + e.getMessage());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
