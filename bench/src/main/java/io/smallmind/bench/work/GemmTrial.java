package io.smallmind.bench.work;

import io.smallmind.Backend;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.tensor.Memory;
import java.lang.foreign.MemorySegment;

/** c (m, n) = a (m, k) · b (k, n) in F32 by a backend. */
final class GemmTrial extends Trial {
  private static final long ESTIMATED_ROWS = 16;

  private final Backend backend;
  private final GemmData data;
  private final Memory c;

  GemmTrial(Backend backend, GemmData data) {
    super(backend.name(), Role.BACKEND, backend.threads());
    this.backend = backend;
    this.data = data;
    c = Memory.allocate(data.m() * data.n() * Float.BYTES);
  }

  @Override
  public double estimateNanos() {
    if (2.0 * data.m() * data.n() * data.k() < Estimate.SHORT_OPERATIONS) {
      return 0;
    }
    long rows = Math.min(data.m(), ESTIMATED_ROWS);
    MemorySegment a = data.a().segment().asSlice(0, rows * data.k() * Float.BYTES);
    MemorySegment part = c.segment().asSlice(0, rows * data.n() * Float.BYTES);
    return Estimate.shortest(
            () -> backend.matmul(a, data.b().segment(), part, rows, data.n(), data.k()))
        / rows
        * data.m();
  }

  @Override
  public Verdict verify() {
    c.segment().fill((byte) -1); // NaN
    call();
    return data.reference().check(c.segment());
  }

  @Override
  public void call() {
    backend.matmul(
        data.a().segment(), data.b().segment(), c.segment(), data.m(), data.n(), data.k());
  }

  @Override
  public void close() {
    c.close();
  }
}
