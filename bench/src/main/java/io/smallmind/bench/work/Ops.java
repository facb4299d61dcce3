package io.smallmind.bench.work;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Trial;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes the workloads of the benchmark of operations. */
public final class Ops {
  /** Lengths are multiples of this: heads of a rotation, blocks of a quantization. */
  public static final long LENGTH_MULTIPLE = OpData.HEAD_DIM;

  /** Data of more than this is hardly in a cache. */
  private static final double IN_MEMORY_BYTES = 64L << 20;

  private Ops() {}

  /**
   * Returns an operation on so many elements.
   *
   * @param length a multiple of {@value #LENGTH_MULTIPLE}, rounded down to whole rows where it is
   *     longer than a row
   */
  public static Workload of(Contestants all, Op op, long length) {
    OpData data = OpData.random(op, length);
    List<Trial> trials = new ArrayList<>();
    for (Team team : all.teams()) {
      for (Kernels kernels : all.kernels()) {
        trials.add(new OpTrial(kernels, team, data));
      }
    }
    @Nullable LimitKind limit = null;
    if (op.isReading()) {
      if (op.bytes() * data.length() > IN_MEMORY_BYTES) {
        limit = LimitKind.READ;
        trials.addAll(all.limitTrials(limit));
      }
    } else {
      @Nullable Memory second = op.binary() == null ? null : data.b();
      for (Team team : all.teams()) {
        trials.addAll(all.limits().plainLoops(team, data.a(), second, data.length()));
      }
    }
    return new Workload(
        op.title(),
        op.title(),
        Sizes.elements(data.length()),
        Map.of("elements", data.length()),
        op.operations() * data.length(),
        op.bytes() * data.length(),
        0,
        Metric.GIGABYTES,
        limit,
        "",
        trials,
        List.of(data));
  }
}
