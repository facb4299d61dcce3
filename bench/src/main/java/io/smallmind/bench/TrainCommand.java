package io.smallmind.bench;

import io.smallmind.bench.train.Training;
import io.smallmind.bench.work.Contestants;
import io.smallmind.convert.ModelShape;
import io.smallmind.error.SmallMindException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures training steps. */
@Command(
    name = "train",
    description = "Take training steps: forward, backward and AdamW.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class TrainCommand extends MeasuringCommand {
  private static final int LARGEST = 1 << 16;

  @Option(
      names = "--shape",
      paramLabel = "NAME",
      description = "Shape of the network. Default: smallmind-30m, quick smallmind-medium.")
  @Nullable String shape;

  @Option(names = "--batch", paramLabel = "N", description = "Texts per step. Default: 4.")
  int batch = 4;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Tokens per text. Default: 256, or the shape's most.")
  @Nullable Integer context;

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    ModelShape chosen = shape();
    int tokens = context == null ? Math.min(256, chosen.context()) : context;
    if (batch < 1 || batch > LARGEST) {
      throw options.usage("--batch: choose 1 to " + LARGEST + ", not " + batch);
    }
    if (tokens < 2 || tokens > chosen.context()) {
      throw options.usage("--context: choose 2 to " + chosen.context() + ", not " + tokens);
    }
    options.longCalls();
    Training training = new Training(chosen, batch, tokens);
    List<BenchRun.Plan> plans = new ArrayList<>();
    // One number of threads at a time: each contestant has a network of its own in memory.
    for (int i = 0; i < options.threadCounts().size(); i++) {
      int index = i;
      plans.add(
          new BenchRun.Plan(
              "train " + chosen.name() + ", threads: " + options.threadCounts().get(i),
              (Contestants all) -> training.workload(all, all.teams().get(index))));
    }
    return run("train", options, plans);
  }

  private ModelShape shape() {
    try {
      return ModelShape.byName(
          shape != null ? shape.strip() : options.quick ? "smallmind-medium" : "smallmind-30m");
    } catch (SmallMindException e) {
      throw options.usage("--shape: " + e.getMessage());
    }
  }
}
