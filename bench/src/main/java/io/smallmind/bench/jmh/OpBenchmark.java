package io.smallmind.bench.jmh;

import io.smallmind.bench.work.Op;
import io.smallmind.bench.work.Ops;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The operations besides matmul. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class OpBenchmark {
  /** A backend or a family of them. */
  @Param({"native", "vector", "scalar"})
  public String backend = "";

  /** What is computed. */
  @Param({"ADD", "RELU", "SILU", "GELU", "SOFTMAX", "RMS_NORM", "ROPE", "DOT", "QUANTIZE"})
  public Op op = Op.ADD;

  /** Number of elements, a multiple of 128. */
  @Param({"16384", "10000000"})
  public long size;

  /** Members of the team. */
  @Param({"1", "2"})
  public int threads;

  @SuppressWarnings("NullAway.Init") // by setUp
  private VerifiedWork work;

  /** Makes the data, and fails if the result is wrong. */
  @Setup
  public void setUp() {
    work = new VerifiedWork(backend, threads, all -> Ops.of(all, op, size));
  }

  /** All elements once. */
  @Benchmark
  public void op() {
    work.call();
  }

  /** Frees the data. */
  @TearDown
  public void tearDown() {
    work.close();
  }
}
