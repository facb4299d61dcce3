package io.smallmind.bench;

import io.smallmind.bench.report.HtmlReport;
import io.smallmind.bench.report.MarkdownReport;
import io.smallmind.bench.report.Notes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Runs every bench of this library's own, and draws the results. */
@Command(
    name = "all",
    description = "Run all measurements of this library one after the other, and draw a report.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class AllCommand implements Callable<Integer> {
  /** The commands that keep models of shapes. */
  private static final Set<String> CACHING = Set.of("model", "sessions", "lookup", "profile");

  @ParentCommand private @Nullable Main main;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where results go; made if need be. Default: target/bench.")
  Path folder = Path.of("target/bench");

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Numbers of threads. Default: 1 and the physical cores.")
  @Nullable String threads;

  @Option(
      names = "--backends",
      paramLabel = "NAME",
      description = "Backends to compare. Default: native,vector,scalar.")
  @Nullable String backends;

  @Option(
      names = "--shape",
      paramLabel = "NAME",
      description = "Shape of the model. Default: smollm2-135m.")
  String shape = "smollm2-135m";

  @Option(
      names = "--cache",
      paramLabel = "FOLDER",
      description = "Where models of shapes are kept. Default: smallmind-bench in ~/.cache.")
  @Nullable Path cache;

  @Option(names = "--quick", description = "Fewer sizes, shorter turns: a first look.")
  boolean quick;

  @Option(
      names = "--smoke",
      hidden = true,
      description = "Tiny work: shows that everything runs, and measures nothing.")
  boolean smoke;

  private List<List<String>> commands() {
    List<List<String>> commands = new ArrayList<>();
    if (smoke) {
      commands.add(List.of("matmul", "--types", "F32,Q4_0", "--sizes", "32"));
      commands.add(List.of("ops", "--ops", "add,softmax", "--sizes", "256"));
      commands.add(List.of("model", "--shape", "tiny-llama", "--prompt", "8", "--generate", "4"));
      commands.add(
          List.of("sessions", "--shape", "tiny-llama", "--sessions", "1,3", "--generate", "4"));
      commands.add(List.of("lookup", "--shape", "tiny-llama", "--prompt", "8", "--generate", "4"));
      commands.add(List.of("profile", "--shape", "tiny-llama", "--prompt", "8", "--generate", "4"));
      commands.add(List.of("train", "--shape", "tiny-gpt2", "--batch", "2", "--context", "16"));
    } else {
      commands.add(List.of("matmul"));
      commands.add(List.of("ops"));
      commands.add(List.of("model", "--shape", shape));
      commands.add(List.of("sessions", "--shape", shape));
      commands.add(List.of("lookup", "--shape", shape));
      commands.add(List.of("profile", "--shape", shape));
      commands.add(List.of("train"));
    }
    commands.add(List.of("load"));
    return commands;
  }

  /** Adds what all commands are told, and where the results go. */
  private List<String> arguments(List<String> command, Path json) {
    List<String> arguments = new ArrayList<>(command);
    arguments.addAll(List.of("--json", json.toString()));
    if (quick || smoke) {
      arguments.add("--quick");
    }
    if (smoke) {
      arguments.addAll(List.of("--repeat", "1", "--warm-up", "0.02"));
    }
    if (threads != null) {
      arguments.addAll(List.of("--threads", threads));
    }
    if (backends != null) {
      arguments.addAll(List.of("--backends", backends));
    }
    if (cache != null && CACHING.contains(command.getFirst())) {
      arguments.addAll(List.of("--cache", cache.toString()));
    }
    return arguments;
  }

  @Override
  public Integer call() throws IOException {
    Main parent = main;
    if (parent == null) {
      throw new IllegalStateException("a command runs below Main only");
    }
    Files.createDirectories(folder);
    int worst = 0;
    List<Path> results = new ArrayList<>();
    for (List<String> command : commands()) {
      Path json = folder.resolve(command.getFirst() + ".json");
      Files.deleteIfExists(json);
      int exitCode =
          Main.run(
              arguments(command, json).toArray(new String[0]),
              parent.terminal(),
              parent::candidates,
              parent.measuresMachine());
      worst = Math.max(worst, exitCode);
      if (Files.exists(json)) {
        results.add(json);
      }
      parent.terminal().out().println();
    }
    if (!results.isEmpty()) {
      Path page = folder.resolve("report.html");
      HtmlReport.write(results, Notes.NONE, page);
      MarkdownReport.write(results, Notes.NONE, folder.resolve("report.md"));
      parent.terminal().out().println("Report: " + page.toAbsolutePath());
    }
    return worst;
  }
}
