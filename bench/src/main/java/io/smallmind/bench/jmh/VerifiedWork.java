package io.smallmind.bench.jmh;

import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Workload;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.List;
import java.util.function.Function;

/** A trial with its data and team, set up and verified for JMH. */
final class VerifiedWork implements AutoCloseable {
  private final Team team;
  private final Workload workload;
  private final Trial trial;

  /**
   * Sets work up.
   *
   * @param backend a name, or a family: the best backend whose name begins with it
   * @param workload makes the work
   * @throws IllegalStateException if there is no such backend here, or its result is wrong
   */
  VerifiedWork(String backend, int threads, Function<Contestants, Workload> workload) {
    Kernels kernels =
        KernelRegistry.get().available().stream()
            .filter(one -> one.name().equals(backend) || one.name().startsWith(backend + "-"))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no backend " + backend + " runs here"));
    team = new Team(threads);
    this.workload = workload.apply(new Contestants(List.of(kernels), List.of(team), Limits.none()));
    trial = this.workload.trials().getFirst();
    Verdict verdict = trial.verify();
    if (!verdict.isRight()) {
      throw new IllegalStateException(kernels.name() + ": " + verdict.wrong());
    }
  }

  void call() {
    trial.call();
  }

  @Override
  public void close() {
    workload.close();
    team.close();
  }
}
