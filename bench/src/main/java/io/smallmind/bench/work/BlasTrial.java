package io.smallmind.bench.work;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.tensor.Memory;

/** c (m, n) = a (m, k) · b (k, n) in F32 by OpenBLAS with its own threads. */
final class BlasTrial extends Trial {
  static final String VARIANT = "OpenBLAS from C";

  /** How long OpenBLAS' threads spin after a call: 50 to 100 ms. */
  private static final long SPIN_MILLIS = 120;

  private final GemmData data;
  private final Memory c;
  private final Runnable gemm;

  BlasTrial(GemmData data, int threads) {
    super(VARIANT, Role.BASELINE, threads);
    this.data = data;
    c = Memory.allocate(data.m() * data.n() * Float.BYTES);
    gemm =
        OpenBlas.gemm(
            data.a().segment(), data.b().segment(), c.segment(), data.m(), data.n(), data.k());
  }

  @Override
  public Verdict verify() {
    begin();
    try {
      c.segment().fill((byte) -1); // NaN
      call();
      return data.reference().check(c.segment());
    } finally {
      end();
    }
  }

  @Override
  public void begin() {
    OpenBlas.setThreads(threads());
  }

  @Override
  public void call() {
    gemm.run();
  }

  /** Gives it back with one thread, as the library uses it, and its other threads asleep. */
  @Override
  public void end() {
    OpenBlas.setThreads(1);
    if (threads() > 1) {
      try {
        Thread.sleep(SPIN_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    c.close();
  }
}
