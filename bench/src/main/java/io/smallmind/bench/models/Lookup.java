package io.smallmind.bench.models;

import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes workloads of generating with guesses from the context and without, of one model file, which
 * share what is loaded. Not thread-safe.
 */
public final class Lookup {
  /** Most tokens that can be guessed ahead. */
  public static final int MOST_GUESSES = 15;

  private record Key(Kernels kernels, Team team) {}

  private final ModelFile file;
  private final int promptLength;
  private final int tokens;
  private final int guesses;
  private final LoadedModels references;
  private final Map<Key, LanguageModel> loaded = new LinkedHashMap<>();
  private int users;

  /**
   * Prepares work on a file.
   *
   * @param promptLength tokens of the prompt
   * @param tokens to generate
   * @param guesses most tokens ahead, 1 to {@link #MOST_GUESSES}
   * @param workloads how many will be made, and closed: the last one frees the model
   */
  public Lookup(ModelFile file, int promptLength, int tokens, int guesses, int workloads) {
    this.file = file;
    this.promptLength = promptLength;
    this.tokens = tokens;
    this.guesses = guesses;
    references = new LoadedModels(file, workloads);
    users = workloads;
  }

  /**
   * Returns the work of generating a text.
   *
   * @param repeats whether the text is the prompt edited, or new
   */
  public Workload workload(Contestants all, boolean repeats) {
    LookupText text =
        repeats
            ? LookupText.edited(file, promptLength, tokens)
            : LookupText.unrelated(file, promptLength, tokens);
    List<Trial> trials = new ArrayList<>();
    for (Team team : all.teams()) {
      for (Kernels kernels : all.kernels()) {
        trials.add(new LookupTrial(this, kernels, team, text, 0));
        trials.add(new LookupTrial(this, kernels, team, text, guesses));
      }
    }
    trials.addAll(all.limitTrials(LimitKind.READ));
    Map<String, Long> shape = new LinkedHashMap<>();
    shape.put("tokens", (long) tokens);
    shape.put("depth", (long) promptLength);
    shape.put("repeats", repeats ? 1L : 0L);
    double operations =
        file.layerOperations() + file.outputOperations() + file.attentionOperations(context(text));
    return new Workload(
        "lookup",
        file.title() + " " + file.type(),
        repeats ? "edited text" : "new text",
        shape,
        tokens * operations,
        tokens * bytesPerPass(text),
        tokens,
        Metric.TOKENS,
        LimitKind.READ,
        "",
        trials,
        List.of(this::release));
  }

  private static double context(LookupText text) {
    return text.prompt().length + (text.script().length + 1) / 2.0;
  }

  /** Returns the bytes that a pass reads. */
  double bytesPerPass(LookupText text) {
    return file.weightBytes() + file.cacheBytes(context(text), TensorType.F16);
  }

  /** Returns the model as anybody would load it. */
  LanguageModel get(Kernels kernels, Team team) {
    return loaded.computeIfAbsent(
        new Key(kernels, team),
        key ->
            LanguageModel.load(
                file.path(),
                ModelOptions.defaults().withBackend(kernels.name()).withThreads(team.size())));
  }

  /** Compares a backend's scores with those of the scalar one. */
  Verdict check(Kernels kernels, Team team) {
    try (LoadedModel model = new LoadedModel(file, kernels, team, WeightsHeld.PACKED)) {
      return references.reference(team).check(model.model());
    }
  }

  /** Compares what differs by the rounding of sums only. */
  Verdict compare(float[] expected, float[] actual) {
    return LogitsReference.compare(file, expected, actual, 1);
  }

  private void release() {
    references.release();
    if (--users == 0) {
      loaded.values().forEach(LanguageModel::close);
      loaded.clear();
    }
  }
}
