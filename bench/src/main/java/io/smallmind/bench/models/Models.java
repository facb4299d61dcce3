package io.smallmind.bench.models;

import io.smallmind.bench.host.CpuGroup;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.BesideTrial;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.ForeignLoad;
import io.smallmind.bench.measure.QuotaTrial;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes workloads of one model file, which share what is loaded. */
public final class Models {
  private final ModelFile file;
  private final LoadedModels loaded;
  private final TensorType cacheType;
  private final int batchRows;
  private final List<ModelRival> rivals;
  private final List<String> conditions = new ArrayList<>();
  private int busy;
  private @Nullable Double quota;

  /**
   * Prepares work on a file.
   *
   * @param workloads how many will be made, and closed: the last one frees the model
   * @param cacheType of keys and values
   * @param batchRows most tokens per forward pass
   * @param rivals engines to compare with
   */
  public Models(
      ModelFile file, int workloads, TensorType cacheType, int batchRows, List<ModelRival> rivals) {
    this.file = file;
    this.loaded = new LoadedModels(file, workloads);
    this.cacheType = cacheType;
    this.batchRows = batchRows;
    this.rivals = List.copyOf(rivals);
  }

  /** Has passes watched: each backend takes part twice, watched and not. */
  public Models profiled() {
    conditions.add(Condition.WATCHED);
    return this;
  }

  /** Has each backend take part once more, with packed weights that are mapped from their file. */
  public Models kept() {
    conditions.add(Condition.KEPT);
    return this;
  }

  /** Has each backend take part once more, with weights that are mapped rather than packed. */
  public Models mapped() {
    conditions.add(Condition.MAPPED);
    return this;
  }

  /**
   * Has each backend take part a second time, beside processes of somebody else's.
   *
   * @param processes that keep a processor busy each; 0 for none
   */
  public Models beside(int processes) {
    busy = processes;
    return this;
  }

  /**
   * Has each backend and rival take part a second time, under a container's quota.
   *
   * @param processors whose time is granted; null for no quota
   */
  public Models quota(@Nullable Double processors) {
    quota = processors;
    return this;
  }

  /**
   * Returns the work of reading a prompt.
   *
   * @param tokens of the prompt
   */
  public Workload prefill(Contestants all, int tokens, int depth) {
    var pass = new ModelTrial.Pass(1, depth, tokens, batchRows, cacheType);
    double context = depth + (tokens + 1) / 2.0;
    double operations =
        tokens * (file.layerOperations() + file.attentionOperations(context))
            + file.outputOperations();
    double passes = Math.ceil((double) tokens / batchRows);
    double bytes = passes * (file.weightBytes() + file.cacheBytes(context, cacheType));
    return workload(
        all,
        "prefill",
        tokens + " tokens",
        pass,
        operations,
        bytes,
        tokens,
        file.limit(),
        (kernels, team, condition) -> new PrefillTrial(loaded, kernels, team, pass, condition));
  }

  /**
   * Returns the work of generating.
   *
   * @param tokens in a row, from the same context on
   * @param depth tokens of context before
   */
  public Workload decode(Contestants all, int tokens, int depth, int sessions) {
    var pass = new ModelTrial.Pass(sessions, depth, tokens, batchRows, cacheType);
    double context = depth + (tokens + 1) / 2.0;
    double operations =
        sessions
            * (file.layerOperations()
                + file.outputOperations()
                + file.attentionOperations(context));
    double bytes = file.weightBytes() + sessions * file.cacheBytes(context, cacheType);
    return workload(
        all,
        "decode",
        sessions == 1 ? tokens + " tokens" : sessions + " sessions",
        pass,
        operations,
        bytes,
        sessions,
        LimitKind.READ,
        (kernels, team, condition) -> new DecodeTrial(loaded, kernels, team, pass, condition));
  }

  /**
   * Returns the work of sessions that generate at the same time, on threads of their own.
   *
   * @param tokens that each generates
   * @param depth tokens of context before
   */
  public Workload sessions(Contestants all, int tokens, int depth, int sessions) {
    var pass = new ModelTrial.Pass(sessions, depth, tokens, batchRows, cacheType);
    double context = depth + (tokens + 1) / 2.0;
    double operations =
        (double) sessions
            * tokens
            * (file.layerOperations()
                + file.outputOperations()
                + file.attentionOperations(context));
    double bytes = tokens * (file.weightBytes() + sessions * file.cacheBytes(context, cacheType));
    return workload(
        all,
        "sessions",
        sessions + (sessions == 1 ? " session" : " sessions"),
        pass,
        operations,
        bytes,
        (double) sessions * tokens,
        LimitKind.READ,
        (kernels, team, condition) -> new SessionsTrial(loaded, kernels, team, pass));
  }

  private @Nullable CpuGroup group() {
    try {
      return quota == null ? null : CpuGroup.create(quota);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Adds a trial, and where there is a quota, another one under it. */
  private static void add(List<Trial> trials, @Nullable CpuGroup group, Supplier<Trial> maker) {
    trials.add(alike(group, maker.get()));
    if (group != null) {
      trials.add(new QuotaTrial(maker.get(), group));
    }
  }

  /** Returns a trial that is timed as those under a quota are, if there are any. */
  private static Trial alike(@Nullable CpuGroup group, Trial trial) {
    return group == null ? trial : new QuotaTrial(trial, null);
  }

  /** Makes what is timed. */
  private interface TrialMaker {
    Trial make(Kernels kernels, Team team, String condition);
  }

  private Workload workload(
      Contestants all,
      String work,
      String size,
      ModelTrial.Pass pass,
      double operations,
      double bytes,
      double tokens,
      LimitKind limit,
      TrialMaker maker) {
    List<Trial> trials = new ArrayList<>();
    ForeignLoad load = new ForeignLoad(busy);
    CpuGroup group = group();
    for (Team team : all.teams()) {
      for (Kernels kernels : all.kernels()) {
        add(trials, group, () -> maker.make(kernels, team, ""));
        for (String condition : conditions) {
          if (WeightsHeld.in(condition).isPossible(kernels)) {
            trials.add(alike(group, maker.make(kernels, team, condition)));
          }
        }
        if (busy > 0) {
          trials.add(new BesideTrial(alike(group, maker.make(kernels, team, "")), load));
        }
      }
      for (ModelRival rival : rivals) {
        boolean decode = work.equals("decode");
        add(trials, group, () -> new RivalModelTrial(rival, loaded, team, pass, decode));
      }
    }
    trials.addAll(all.limitTrials(limit));
    if (conditions.contains(Condition.WATCHED)) {
      for (LimitKind other : LimitKind.values()) {
        trials.addAll(other == limit ? List.of() : all.limitTrials(other));
      }
    }
    Map<String, Long> shape = new LinkedHashMap<>();
    shape.put("tokens", (long) pass.tokens());
    shape.put("depth", (long) pass.depth());
    shape.put("sessions", (long) pass.sessions());
    String context = pass.depth() == 0 ? "" : " @" + pass.depth();
    String cache = cacheType == TensorType.F16 ? "" : " " + cacheType;
    return new Workload(
        work,
        file.title() + " " + file.type() + cache,
        size + context,
        shape,
        operations,
        bytes,
        tokens,
        Metric.TOKENS,
        limit,
        "",
        trials,
        group == null ? List.of(load, loaded::release) : List.of(load, group, loaded::release));
  }
}
