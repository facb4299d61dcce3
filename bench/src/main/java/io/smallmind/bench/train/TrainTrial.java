package io.smallmind.bench.train;

import io.smallmind.bench.host.ProcessMemory;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Training steps on one backend and team; a call is a step. */
final class TrainTrial extends Trial {
  private final Training training;
  private final TokenData data;
  private final TrainingReference reference;
  private final Kernels kernels;
  private final Team team;
  private final Map<String, Double> figures = new LinkedHashMap<>();
  private @Nullable Trainer trainer;

  TrainTrial(
      Training training, TokenData data, TrainingReference reference, Kernels kernels, Team team) {
    super(kernels.name(), Role.BACKEND, team.size());
    this.training = training;
    this.data = data;
    this.reference = reference;
    this.kernels = kernels;
    this.team = team;
  }

  @Override
  public Verdict verify() {
    return reference.check(kernels);
  }

  @Override
  public void call() {
    Trainer prepared = trainer;
    if (prepared == null) {
      prepared = prepare();
    }
    prepared.step();
  }

  private Trainer prepare() {
    Long before = ProcessMemory.residentBytes();
    Trainer prepared = training.trainer(data, kernels, team, training.batch(), training.context());
    trainer = prepared;
    prepared.step(); // What is never touched is not resident.
    Long after = ProcessMemory.residentBytes();
    if (before != null && after != null) {
      figures.put("residentBytes", (double) Math.max(0, after - before));
    }
    figures.put("parameters", (double) prepared.parameters());
    return prepared;
  }

  @Override
  public Map<String, Double> figures() {
    return figures;
  }

  @Override
  public void close() {
    if (trainer != null) {
      trainer.close();
      trainer = null;
    }
  }
}
