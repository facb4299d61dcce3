package io.smallmind.bench;

import com.google.gson.JsonParseException;
import io.smallmind.bench.report.HtmlReport;
import io.smallmind.bench.report.MarkdownReport;
import io.smallmind.bench.report.Notes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Makes pages of results. */
@Command(
    name = "report",
    description = "Draw results as one HTML file that needs no network, or as Markdown.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "JSON files of the bench.")
  List<Path> results = List.of();

  @Option(names = "--html", paramLabel = "FILE", description = "Write this page.")
  @Nullable Path html;

  @Option(names = "--markdown", paramLabel = "FILE", description = "Write this text.")
  @Nullable Path markdown;

  @Option(
      names = "--notes",
      paramLabel = "FILE",
      description =
          "Markdown for the page: an introduction, and below '## Why others win' reasons, such as"
              + " '- `gemm/F32/*/MKL/*`: it …'.")
  @Nullable Path notes;

  @Override
  public Integer call() throws IOException {
    Main parent = main;
    if (parent == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    for (Path result : results) {
      if (!Files.isRegularFile(result)) {
        throw new ParameterException(spec.commandLine(), "no file " + result);
      }
    }
    if (notes != null && !Files.isRegularFile(notes)) {
      throw new ParameterException(spec.commandLine(), "--notes: no file " + notes);
    }
    if (html == null && markdown == null) {
      throw new ParameterException(spec.commandLine(), "name a file: --html or --markdown");
    }
    Notes written = notes == null ? Notes.NONE : Notes.read(notes);
    try {
      if (html != null) {
        HtmlReport.write(results, written, html);
        parent.terminal().out().println("Written: " + html);
      }
      if (markdown != null) {
        MarkdownReport.write(results, written, markdown);
        parent.terminal().out().println("Written: " + markdown);
      }
    } catch (JsonParseException e) {
      throw new ParameterException(
          spec.commandLine(), "not every file is a result of the bench: " + e.getMessage());
    }
    return 0;
  }
}
