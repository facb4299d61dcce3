package io.smallmind.bench.work;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.MatmulEngine;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Another library that multiplies the same matrices in a process of its own. */
final class RivalMatmulTrial extends Trial {
  /** What runs on a JVM is compiled meanwhile. */
  private static final long WARM_UP_NANOS = 1_000_000_000;

  private static final long SLICE_NANOS = 100_000_000;

  /** How long threads of other libraries spin after their work, in milliseconds. */
  private static final long SPIN_MILLIS = 200;

  private final MatmulRival rival;
  private final RivalData data;
  private @Nullable MatmulEngine engine;
  private boolean warm;

  private RivalMatmulTrial(MatmulRival rival, RivalData data, int threads) {
    super(rival.name(), Role.BASELINE, threads);
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
  public String unavailable() {
    return rival.missing();
  }

  private MatmulEngine engine() throws IOException {
    MatmulEngine running = engine;
    if (running == null) {
      running = rival.openMatmul(data.product(), threads());
      engine = running;
    }
    return running;
  }

  @Override
  public double estimateNanos() {
    try {
      return engine().estimateNanos();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public Verdict verify() {
    try {
      engine().multiply(data.output());
      return data.check(rival.noise(data.product().type()));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    try {
      for (double time : engine().time(warm ? 0 : WARM_UP_NANOS, SLICE_NANOS)) {
        nanos.accept(Math.max(1, Math.round(time)));
      }
      warm = true;
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public void call() {
    throw new IllegalStateException("a rival times itself");
  }

  /** Lets its threads fall asleep. */
  @Override
  public void end() {
    try {
      Thread.sleep(SPIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (engine != null) {
      engine.close();
      engine = null;
    }
  }
}
