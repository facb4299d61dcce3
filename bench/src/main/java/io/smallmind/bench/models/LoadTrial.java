package io.smallmind.bench.models;

import io.smallmind.bench.host.PageCache;
import io.smallmind.bench.host.ProcessMemory;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Metric;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A model's way from its file to weights that can be multiplied with. */
public final class LoadTrial extends Trial {
  private final ModelFile file;
  private final Kernels kernels;
  private final Team team;
  private final boolean cold;
  private final Map<String, Double> figures = new HashMap<>();
  private @Nullable String obstacle;

  private LoadTrial(ModelFile file, Kernels kernels, Team team, boolean cold) {
    super(kernels.name(), Role.BACKEND, team.size());
    this.file = file;
    this.kernels = kernels;
    this.team = team;
    this.cold = cold;
  }

  /**
   * Returns the work of loading a model by all threads. Nobody else may have the file mapped.
   *
   * @param cold whether the file must come from the disk
   */
  public static Workload workload(Contestants all, ModelFile file, boolean cold) {
    Team team = all.teams().getLast();
    List<Trial> trials = new ArrayList<>();
    for (Kernels kernels : all.kernels()) {
      trials.add(new LoadTrial(file, kernels, team, cold));
    }
    if (!cold) {
      all.limits().trial(LimitKind.READ, team).ifPresent(trials::add);
    }
    long bytes = file.fileBytes();
    return new Workload(
        "load",
        file.title() + " " + file.type(),
        cold ? "cold" : "warm",
        Map.of("bytes", bytes, "cold", cold ? 1L : 0L),
        0,
        bytes,
        0,
        Metric.GIGABYTES,
        cold ? null : LimitKind.READ,
        "",
        trials,
        List.of());
  }

  @Override
  public String unavailable() {
    if (cold && obstacle == null) {
      obstacle = drop();
    }
    return obstacle == null || obstacle.isEmpty() ? "" : "can't be cold: " + obstacle;
  }

  private String drop() {
    boolean whole = file.path().toFile().length() == file.fileBytes();
    return whole ? PageCache.drop(file.path()) : "the model has several files";
  }

  /** Loads once; what is computed with the weights is checked where it is timed. */
  @Override
  public double estimateNanos() {
    long begin = System.nanoTime();
    Long before = ProcessMemory.residentBytes();
    try (LoadedModel model = new LoadedModel(file, kernels, team, WeightsHeld.PACKED)) {
      Long after = ProcessMemory.residentBytes();
      if (before != null && after != null) {
        figures.put("residentBytes", (double) Math.max(0, after - before));
      }
      return System.nanoTime() - begin;
    }
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    if (cold) {
      String reason = drop();
      if (!reason.isEmpty()) {
        throw new IllegalStateException("the file didn't leave memory: " + reason);
      }
    }
    long begin = System.nanoTime();
    LoadedModel model = new LoadedModel(file, kernels, team, WeightsHeld.PACKED);
    nanos.accept(System.nanoTime() - begin);
    model.close();
    return true;
  }

  @Override
  public Map<String, Double> figures() {
    return figures;
  }

  @Override
  public void call() {
    throw new IllegalStateException("loading times itself");
  }
}
