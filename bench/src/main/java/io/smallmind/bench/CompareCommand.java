package io.smallmind.bench;

import com.google.gson.JsonParseException;
import io.smallmind.bench.compare.ChangeDetector;
import io.smallmind.bench.compare.RevisionRuns;
import io.smallmind.bench.compare.RunComparison;
import io.smallmind.bench.compare.Scorecard;
import io.smallmind.bench.compare.Sides;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.JsonReport;
import io.smallmind.bench.report.Style;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
  private static final int PAIRS = 10;
  private static final int FEWEST_PAIRS = 5;
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
              + " state in alternation, each time in new processes.")
  @Nullable String revision;

  @Option(
      names = "--pairs",
      paramLabel = "N",
      description = "With --run: how often each side runs. Default: 10.")
  @Nullable Integer pairs;

  @Option(
      names = "--keep",
      description = "With --run: leave the other revision built, for the next time.")
  boolean keep;

  @Mixin private ToleranceOptions tolerance = new ToleranceOptions();

  @Option(names = "--all", description = "Show rows that did not change too.")
  boolean all;

  @Override
  public Integer call() {
    Main parent = main;
    if (parent == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    ChangeDetector.Tolerance judged = tolerance.tolerance();
    try {
      return compare(parent, judged);
    } catch (IOException e) {
      // What could not be measured is not slower.
      parent.terminal().err().println("error: " + e.getMessage());
      return INCOMPARABLE;
    }
  }

  private int compare(Main parent, ChangeDetector.Tolerance judged) throws IOException {
    Terminal terminal = parent.terminal();
    Sides sides = revision != null ? runs(parent, revision) : files();
    RunComparison comparison = RunComparison.of(sides.base(), sides.head(), judged, sides.paired());
    new Scorecard(terminal.out(), new Style(terminal.colours()))
        .print(sides.base(), sides.head(), comparison, all);
    if (!comparison.incomparable().isEmpty()) {
      return INCOMPARABLE;
    }
    return comparison.isRegression() ? Main.FAILED : 0;
  }

  private Sides files() throws IOException {
    if (pairs != null || keep) {
      throw usage("--pairs and --keep belong to --run");
    }
    if (arguments.size() != 2) {
      throw usage("name two files, or folders of them: results before, and results after");
    }
    return Sides.of(readAll(arguments.get(0)), readAll(arguments.get(1)));
  }

  /** Measures another revision and this one; slips are found before anything is built. */
  private Sides runs(Main parent, String wanted) throws IOException {
    int count = pairs == null ? PAIRS : pairs;
    if (count < FEWEST_PAIRS || count > MOST_PAIRS) {
      throw usage("--pairs: choose " + FEWEST_PAIRS + " to " + MOST_PAIRS + ", not " + count);
    }
    if (tolerance.drift != null) {
      throw usage("--drift is for sides that did not take turns; with --run they do: leave it out");
    }
    if (arguments.isEmpty()) {
      throw usage("--run needs the bench's command behind --, such as -- matmul --types Q4_0");
    }
    if (arguments.stream().anyMatch(one -> one.split("=", 2)[0].equals(RunOptions.JSON))) {
      throw usage("--run says itself where figures go; leave out " + RunOptions.JSON);
    }
    try {
      parent.check(arguments);
    } catch (ParameterException e) {
      throw usage("--run, behind --: " + e.getMessage());
    }
    RevisionRuns runs;
    try {
      runs = RevisionRuns.of(wanted);
    } catch (IllegalArgumentException e) {
      throw usage("--run: " + e.getMessage());
    }
    Steps steps = new Steps(parent.terminal(), RevisionRuns.BUILDS);
    try {
      Sides both = runs.measure(count, jvmOptions(), arguments, keep, steps::at);
      steps.end();
      parent.terminal().out().println("The figures of each run: " + runs.figures());
      return both;
    } finally {
      steps.end();
    }
  }

  /** Returns the options of this JVM that a person may have given to the launcher. */
  private static List<String> jvmOptions() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(one -> one.startsWith("-D") || one.startsWith("-X") || one.startsWith("-ea"))
        .toList();
  }

  /** Reads a file, or a folder's files as runs of one build. */
  private List<BenchReport> readAll(String name) throws IOException {
    Path folder = Path.of(name);
    if (!Files.isDirectory(folder)) {
      return List.of(read(name));
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
    return runs;
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
