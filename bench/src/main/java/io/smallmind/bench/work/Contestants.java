package io.smallmind.bench.work;

import io.smallmind.Backend;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Trial;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.ArrayList;
import java.util.List;

/**
 * Who takes part in every case: each of the backends on each of the teams, and the limits.
 *
 * @param kernels best first
 * @param teams one for each number of threads, in ascending order
 * @param limits what the machine can do
 */
public record Contestants(List<Kernels> kernels, List<Team> teams, Limits limits) {
  /** Returns the backends, each on every team. */
  List<Backend> backends() {
    List<Backend> backends = new ArrayList<>();
    for (Team team : teams) {
      for (Kernels one : kernels) {
        backends.add(Backend.of(one, team));
      }
    }
    return backends;
  }

  /** Returns the trials of a limit, one for each team. */
  public List<Trial> limitTrials(LimitKind kind) {
    List<Trial> trials = new ArrayList<>();
    for (Team team : teams) {
      limits.trial(kind, team).ifPresent(trials::add);
    }
    return trials;
  }
}
