package io.smallmind.bench.jmh;

import io.smallmind.bench.work.Matmuls;
import io.smallmind.tensor.TensorType;
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

/** Square matmuls with weights that stay in a cache. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class GemmBenchmark {
  /** A backend or a family of them. */
  @Param({"native", "vector", "scalar"})
  public String backend = "";

  /** Type of the weights. */
  @Param({"F32", "Q4_0", "Q4_K", "Q6_K", "Q8_0"})
  public TensorType type = TensorType.F32;

  /** Rows, outputs and inputs. */
  @Param({"512"})
  public long size;

  /** Members of the team. */
  @Param({"1", "2"})
  public int threads;

  @SuppressWarnings("NullAway.Init") // by setUp
  private VerifiedWork work;

  /** Makes the matrices, and fails if the product is wrong. */
  @Setup
  public void setUp() {
    work = new VerifiedWork(backend, threads, all -> Matmuls.gemm(all, type, size, size, size));
  }

  /** One product. */
  @Benchmark
  public void gemm() {
    work.call();
  }

  /** Frees the matrices. */
  @TearDown
  public void tearDown() {
    work.close();
  }
}
