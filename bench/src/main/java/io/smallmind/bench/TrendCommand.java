package io.smallmind.bench;

import com.google.gson.JsonParseException;
import io.smallmind.bench.compare.Change;
import io.smallmind.bench.compare.ChangeDetector;
import io.smallmind.bench.compare.Trend;
import io.smallmind.bench.report.BenchReport;
import io.smallmind.bench.report.JsonReport;
import io.smallmind.bench.report.Style;
import io.smallmind.bench.report.Texts;
import java.io.IOException;
import java.io.PrintWriter;
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
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Shows how results went over time. */
@Command(
    name = "trend",
    description =
        "Show how the results in a folder went over time; exit code 1 after a regression.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class TrendCommand implements Callable<Integer> {
  private static final int ID = 50;
  private static final int POINTS = 12;

  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "FOLDER", description = "JSON files of the bench.")
  Path folder = Path.of(".");

  @Mixin private ToleranceOptions tolerance = new ToleranceOptions();

  @Override
  public Integer call() throws IOException {
    Main parent = main;
    if (parent == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    PrintWriter out = parent.terminal().out();
    Style style = new Style(parent.terminal().colours());
    ChangeDetector.Tolerance judged = tolerance.tolerance();
    boolean slower = false;
    for (Trend trend : Trend.of(results())) {
      out.println();
      out.println(style.bold(trend.title()) + style.dim(", " + trend.runs().size() + " runs"));
      for (Trend.Line line : trend.lines(judged)) {
        boolean worse = line.last() == Change.Kind.SLOWER;
        slower |= worse;
        List<Double> rates = line.rates();
        List<Double> shown = rates.subList(Math.max(0, rates.size() - POINTS), rates.size());
        String text =
            "  "
                + Texts.left(line.id(), ID)
                + " "
                + Texts.left(Texts.spark(shown), POINTS)
                + Texts.right(Texts.rate(rates.getLast()), 8)
                + " "
                + line.unit();
        out.println(
            switch (line.last()) {
              case SLOWER -> style.bad(text + " slower");
              case FASTER -> style.good(text + " faster");
              default -> text;
            });
      }
    }
    out.flush();
    return slower ? Main.FAILED : 0;
  }

  private List<BenchReport> results() throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new ParameterException(spec.commandLine(), "no folder " + folder);
    }
    List<BenchReport> results = new ArrayList<>();
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
    for (Path file : files) {
      try {
        results.add(JsonReport.read(file));
      } catch (JsonParseException e) {
        throw new ParameterException(
            spec.commandLine(), file + " is no result of the bench: " + e.getMessage());
      }
    }
    if (results.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "no JSON file in " + folder);
    }
    return results;
  }
}
