package io.smallmind.bench;

import io.smallmind.bench.models.Lookup;
import io.smallmind.bench.models.ModelFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what guessing ahead from the context gains, and costs. */
@Command(
    name = "lookup",
    description = {
      "Generate with guesses from the context (prompt lookup) and without: a text that is its",
      "prompt edited, and a new one."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class LookupCommand extends MeasuringCommand {
  @Mixin private ModelSource source = new ModelSource();

  @Option(names = "--prompt", paramLabel = "N", description = "Tokens of the prompt. Default: 256.")
  int prompt = 256;

  @Option(
      names = "--generate",
      paramLabel = "N",
      description = "Tokens to generate. Default: 128, quick 64.")
  @Nullable Integer generate;

  @Option(
      names = "--draft-tokens",
      paramLabel = "N",
      description = "Most tokens to guess ahead, 1 to 15. Default: 15.")
  int guesses = Lookup.MOST_GUESSES;

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    int tokens = generate == null ? (options.quick ? 64 : 128) : generate;
    ModelSelection.check(options, "--prompt", List.of(prompt), 1);
    ModelSelection.check(options, "--generate", List.of(tokens), 1);
    if (guesses < 1 || guesses > Lookup.MOST_GUESSES) {
      throw options.usage(
          "--draft-tokens: choose 1 to " + Lookup.MOST_GUESSES + ", not " + guesses);
    }
    options.longCalls();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : source.files(options)) {
      Lookup work = new Lookup(file, prompt, tokens, guesses, 2);
      String name = file.title() + " " + file.type();
      plans.add(new BenchRun.Plan(name + ", edited text", all -> work.workload(all, true)));
      plans.add(new BenchRun.Plan(name + ", new text", all -> work.workload(all, false)));
    }
    return run("lookup", options, plans);
  }
}
