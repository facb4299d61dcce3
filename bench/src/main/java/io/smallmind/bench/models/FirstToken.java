package io.smallmind.bench.models;

import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Fresh processes that load a model, up to the first token behind a short prompt. */
public final class FirstToken {
  static final int PROMPT = 16;

  private FirstToken() {}

  /**
   * Returns the work: each backend with packed weights, with those of a file that keeps them
   * packed, if their folder can be written, and with mapped ones, and rivals.
   *
   * @param rivals that tell how long they load
   */
  public static Workload workload(Contestants all, ModelFile file, List<ModelRival> rivals) {
    LoadedModels models = new LoadedModels(file, 1);
    List<Trial> trials = new ArrayList<>();
    boolean isWritable = Files.isWritable(file.path().toAbsolutePath().getParent());
    for (Team team : all.teams()) {
      for (Kernels kernels : all.kernels()) {
        for (String condition : List.of("", Condition.KEPT, Condition.MAPPED)) {
          if (WeightsHeld.in(condition).isPossible(kernels)
              && (!condition.equals(Condition.KEPT) || isWritable)) {
            trials.add(new FirstTokenTrial(models, kernels, team, condition));
          }
        }
      }
      for (ModelRival rival : rivals) {
        trials.add(new RivalFirstTokenTrial(rival, models, team));
      }
    }
    return new Workload(
        Workload.FIRST_TOKEN,
        file.title() + " " + file.type(),
        PROMPT + " tokens",
        Map.of("tokens", (long) PROMPT),
        0,
        file.fileBytes(),
        0,
        Metric.CALLS,
        null,
        rivals.isEmpty() ? "" : "rivals: without the start of their processes",
        trials,
        List.of(models::release));
  }
}
