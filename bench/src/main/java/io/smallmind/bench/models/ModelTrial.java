package io.smallmind.bench.models;

import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Part;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model that reads prompts or generates, on one backend and team. */
abstract class ModelTrial extends Trial {
  /** Below this many tokens at once, a token costs about the same as one alone. */
  private static final double MOST_SPEED_UP = 32;

  private final LoadedModels models;
  private final Kernels kernels;
  private final Team team;
  private final Pass pass;
  private final WeightsHeld held;
  private final @Nullable Profiler profiler;
  private @Nullable Running running;

  /**
   * What is computed.
   *
   * @param sessions side by side
   * @param depth tokens of context before
   * @param tokens that a call, or a slice of calls, adds to each session
   * @param batchRows most tokens per forward pass
   */
  record Pass(
      int sessions,
      int depth,
      int tokens,
      int batchRows,
      io.smallmind.tensor.TensorType cacheType) {
    int capacity() {
      return depth + tokens;
    }
  }

  /** What a trial computes in, once it is prepared. */
  record Running(Model model, List<KvCache> caches, Batch batch) {}

  /**
   * Prepares a trial.
   *
   * @param condition of the backend; empty for none
   */
  ModelTrial(LoadedModels models, Kernels kernels, Team team, Pass pass, String condition) {
    super(
        Condition.of(kernels.name(), condition),
        condition.isEmpty() ? Role.BACKEND : Role.VARIANT,
        team.size());
    boolean profiled = condition.equals(Condition.WATCHED);
    profiler = profiled ? new Profiler(models.file().config().layers(), team.size()) : null;
    held = WeightsHeld.in(condition);
    this.models = models;
    this.kernels = kernels;
    this.team = team;
    this.pass = pass;
  }

  final Pass pass() {
    return pass;
  }

  final Running running() {
    Running prepared = running;
    if (prepared == null) {
      Model model = models.get(kernels, team, held).model();
      List<KvCache> caches = new ArrayList<>();
      for (int session = 0; session < pass.sessions; session++) {
        caches.add(Contexts.filled(model, pass.cacheType, pass.depth, pass.capacity()));
      }
      Batch batch = model.newBatch(Math.max(pass.batchRows, pass.sessions), pass.sessions);
      batch.observe(profiler);
      prepared = new Running(model, caches, batch);
      running = prepared;
    }
    return prepared;
  }

  /** Forgets all but the context before. */
  final void rewind() {
    List<KvCache> caches = running().caches;
    for (int i = 0; i < caches.size(); i++) { // An iterator would count as the call's heap bytes.
      caches.get(i).truncate(pass.depth);
    }
  }

  /** Estimates from one token: skips what is hopeless, such as long prompts in plain Java. */
  @Override
  public double estimateNanos() {
    Running all = running();
    all.caches.getFirst().truncate(pass.depth);
    long begin = System.nanoTime();
    all.batch.clear();
    all.batch.add(all.caches.getFirst(), 0, true);
    all.model.forward(all.batch);
    double one = System.nanoTime() - begin;
    rewind();
    return one * Math.max(1, tokensPerCall() / MOST_SPEED_UP);
  }

  abstract int tokensPerCall();

  @Override
  public Verdict verify() {
    return models.reference(team).check(running().model);
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>(models.get(kernels, team, held).figures());
    figures.put("cacheBytesPerToken", models.file().cacheBytes(1, pass.cacheType));
    return figures;
  }

  @Override
  public void begin() {
    rewind();
    if (profiler != null) {
      profiler.reset();
    }
  }

  @Override
  public void endRound() {
    if (profiler != null) {
      profiler.endRound();
    }
  }

  /** Returns the parts of a call: of all its passes together. */
  @Override
  public List<Part> parts() {
    return profiler == null ? List.of() : profiler.parts(costs(), passesPerCall());
  }

  private ModelCosts costs() {
    int rows = tokensPerCall() * pass.sessions;
    double context = pass.depth + (pass.tokens + 1) / 2.0;
    return ModelCosts.of(
        models.file(), rows, pass.sessions, context, passesPerCall(), pass.cacheType);
  }

  private double passesPerCall() {
    return Math.ceil((double) tokensPerCall() / pass.batchRows);
  }

  @Override
  public void close() {
    if (running != null) {
      running.batch.close();
      running.caches.forEach(KvCache::close);
      running = null;
    }
  }
}
