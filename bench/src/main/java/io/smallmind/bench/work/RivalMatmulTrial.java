package io.smallmind.bench.work;

import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.MatmulEngine;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.bench.rivals.RivalTrial;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** Another library that multiplies the same matrices. */
final class RivalMatmulTrial extends RivalTrial<MatmulEngine> {
  /** What runs on a JVM is compiled meanwhile. */
  private static final long WARM_UP_NANOS = 1_000_000_000;

  private static final long SLICE_NANOS = 100_000_000;

  private final MatmulRival rival;
  private final RivalData data;
  private boolean warm;

  private RivalMatmulTrial(MatmulRival rival, RivalData data, int threads) {
    super(rival, threads);
    this.rival = rival;
    this.data = data;
  }

  /** Returns a trial of each rival that knows the type, on each number of threads. */
  static List<Trial> all(List<MatmulRival> rivals, RivalData data, Contestants all) {
    List<Trial> trials = new ArrayList<>();
    for (Team team : all.teams()) {
      for (MatmulRival rival : rivals) {
        if (rival.multiplies(data.product().type())) {
          trials.add(new RivalMatmulTrial(rival, data, team.size()));
        }
      }
    }
    return trials;
  }

  @Override
  protected MatmulEngine open() throws IOException {
    return rival.openMatmul(data.product(), threads());
  }

  @Override
  protected double estimate(MatmulEngine running) throws IOException {
    return running.estimateNanos();
  }

  @Override
  protected Verdict check(MatmulEngine running) throws IOException {
    running.multiply(data.output());
    return data.check(rival.noise(data.product().type()));
  }

  @Override
  protected void time(MatmulEngine running, LongConsumer nanos) throws IOException {
    for (double time : running.time(warm ? 0 : WARM_UP_NANOS, SLICE_NANOS)) {
      nanos.accept(Math.max(1, Math.round(time)));
    }
    warm = true;
  }
}
