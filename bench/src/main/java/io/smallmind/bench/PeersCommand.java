package io.smallmind.bench;

import io.smallmind.bench.rivals.LlamaBench;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.rivals.Rival;
import io.smallmind.bench.rivals.RivalSettings;
import io.smallmind.bench.rivals.Rivals;
import io.smallmind.bench.rivals.TrainingRival;
import io.smallmind.bench.train.Training;
import io.smallmind.convert.ModelShape;
import io.smallmind.error.SmallMindException;
import io.smallmind.model.Architecture;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures this library and others in turn, on the same matrices and files. */
@Command(
    name = "peers",
    description = {
      "Multiply the same matrices and run the same models with other libraries too,",
      "each in its own process. Models unless --sizes, --gemv or --train ask for other work."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class PeersCommand extends MeasuringCommand {
  private static final int BATCH = 4;
  private static final int CONTEXT = 256;
  private static final int MOST_PATIENCE = 86_400;

  @Option(
      names = "--install",
      description = "Fetch the rivals with their own package managers, then end.")
  boolean install;

  @Option(
      names = "--rivals",
      split = ",",
      paramLabel = "NAME",
      description = "Whom to compare with, by name. Default: all that --install lists.")
  @Nullable List<String> names;

  @Option(
      names = "--llama-bench",
      paramLabel = "[NAME=]PATH",
      description =
          "And any llama-bench, with more options if need be, such as"
              + " 'ik=/opt/ik/llama-bench -rtr 1'. May come several times.")
  List<String> benches = List.of();

  @Option(
      names = "--train",
      paramLabel = "NAME",
      description = "Train a shape of GPT-2's kind, such as smallmind-30m: 4 texts of 256 tokens.")
  @Nullable String train;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      description =
          "How long a rival may take to load, or for one answer, before it is killed. Default: 300.")
  int patience = 300;

  @Mixin private PeerMatrices matrices = new PeerMatrices();

  @Mixin private ModelSelection models = new ModelSelection();

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    if (patience < 1 || patience > MOST_PATIENCE) {
      throw options.usage("--patience: choose 1 to " + MOST_PATIENCE + " seconds, not " + patience);
    }
    RivalSettings settings =
        new RivalSettings(models.folder().resolve("rivals"), Duration.ofSeconds(patience));
    List<Rival> rivals = rivals(settings);
    return install
        ? install(rivals)
        : run("peers", options, plans(rivals), RivalNames.libraries(rivals));
  }

  /** Installs one after the other; who can't be installed does not keep the others from it. */
  private int install(List<Rival> rivals) {
    int exitCode = 0;
    for (Rival rival : rivals) {
      try {
        rival.install(line -> out().println(line));
        out().println(rival.name() + ": " + rival.detail());
      } catch (IOException e) {
        out().println(rival.name() + ": " + e.getMessage());
        exitCode = Main.FAILED;
      }
      out().flush();
    }
    return exitCode;
  }

  private List<BenchRun.Plan> plans(List<Rival> rivals) throws IOException {
    List<BenchRun.Plan> plans = new ArrayList<>();
    if (matrices.areWanted()) {
      plans.addAll(matrices.plans(options, models.types(), of(MatmulRival.class, rivals)));
    }
    if (train != null) {
      plans.addAll(trainingPlans(train, of(TrainingRival.class, rivals)));
    }
    if (plans.isEmpty() || models.areWanted()) {
      plans.addAll(models.plans(options, of(ModelRival.class, rivals)));
    } else {
      models.refuse(options);
    }
    return plans;
  }

  private List<BenchRun.Plan> trainingPlans(String name, List<TrainingRival> rivals) {
    ModelShape shape;
    try {
      shape = ModelShape.byName(name.strip());
    } catch (SmallMindException e) {
      throw options.usage("--train: " + e.getMessage());
    }
    if (shape.architecture() != Architecture.GPT2) {
      throw options.usage("--train: choose a shape of GPT-2's kind, not " + name);
    }
    options.longCalls();
    Training training = new Training(shape, BATCH, Math.min(CONTEXT, shape.context()));
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (int i = 0; i < options.threadCounts().size(); i++) {
      int index = i;
      plans.add(
          new BenchRun.Plan(
              "train " + shape.name(),
              all -> training.workload(all, all.teams().get(index), rivals)));
    }
    return plans;
  }

  private static <T> List<T> of(Class<T> kind, List<Rival> rivals) {
    return rivals.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private List<Rival> rivals(RivalSettings settings) {
    List<Rival> known = Rivals.all(settings);
    List<Rival> rivals =
        new ArrayList<>(names == null ? known : RivalNames.find(options, names, known));
    benches.forEach(spec -> rivals.add(new LlamaBench(spec, settings.patience())));
    return rivals;
  }
}
