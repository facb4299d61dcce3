package io.smallmind.bench.work;

import io.smallmind.Backend;
import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the workloads of the matmul benchmark. */
public final class Matmuls {
  /** Weights are taken in turn from this much memory, so that every call reads from memory. */
  public static final long ROTATE_BYTES = 272L << 20;

  /** With so few rows of activations, a call waits for memory; with more, it computes. */
  private static final long READING_ROWS = 4;

  private Matmuls() {}

  /**
   * Returns C (m, n) = A (m, k) · B of this type: in F32 as A·B with B (k, n), in the others as
   * x·Wᵀ with W (n, k).
   */
  public static Workload gemm(Contestants all, TensorType type, long m, long n, long k) {
    return gemm(all, type, m, n, k, List.of());
  }

  /**
   * Returns the same with others beside.
   *
   * @param rivals that have a process each; if there are any, OpenBLAS is among them, and not in
   *     this process too
   */
  public static Workload gemm(
      Contestants all, TensorType type, long m, long n, long k, List<MatmulRival> rivals) {
    String size = m == n && n == k ? m + "³" : m + "×" + n + "×" + k;
    double operations = 2.0 * m * n * k;
    if (type != TensorType.F32) {
      Weights weights = Weights.random(type, n, k, 0);
      return matmul(all, "gemm", weights, m, size, Metric.GFLOPS, limit(type), "", rivals);
    }
    GemmData data = GemmData.random(m, n, k);
    List<Trial> trials = new ArrayList<>();
    for (Backend backend : all.backends()) {
      trials.add(new GemmTrial(backend, data));
    }
    List<AutoCloseable> resources = new ArrayList<>(List.of(data));
    if (!rivals.isEmpty()) {
      RivalData shared = RivalData.ofGemm(data);
      resources.addFirst(shared);
      trials.addAll(RivalMatmulTrial.all(rivals, shared, all));
    } else if (OpenBlas.isAvailable()) {
      for (Team team : all.teams()) {
        trials.add(new BlasTrial(data, team.size()));
      }
    }
    trials.addAll(all.limitTrials(LimitKind.FMA));
    return new Workload(
        "gemm",
        type.name(),
        size,
        shape(m, n, k),
        operations,
        4.0 * (m * k + k * n + m * n),
        0,
        Metric.GFLOPS,
        LimitKind.FMA,
        "",
        trials,
        resources);
  }

  /** Returns y (rows, n) = x (rows, k) · Wᵀ, the weights read from memory in every call. */
  public static Workload gemv(Contestants all, TensorType type, long rows, long n, long k) {
    return gemv(all, type, rows, n, k, List.of());
  }

  /**
   * Returns the same with others beside.
   *
   * @param rivals that have a process each
   */
  public static Workload gemv(
      Contestants all, TensorType type, long rows, long n, long k, List<MatmulRival> rivals) {
    Weights weights = Weights.random(type, n, k, ROTATE_BYTES);
    boolean cached = weights.allBytes() < ROTATE_BYTES / 2;
    return gemv(all, weights, rows, cached ? "weights may be in a cache" : "", rivals);
  }

  /** Returns y (rows, N) = x (rows, K) · Wᵀ with these weights, which it closes. */
  static Workload gemv(
      Contestants all, Weights weights, long rows, String note, List<MatmulRival> rivals) {
    String size = weights.rows() + "×" + weights.columns() + (rows == 1 ? "" : " ·" + rows);
    boolean reads = rows <= READING_ROWS;
    return matmul(
        all,
        "gemv",
        weights,
        rows,
        size,
        reads ? Metric.GIGABYTES : Metric.GFLOPS,
        reads ? LimitKind.READ : limit(weights.type()),
        note,
        rivals);
  }

  /** Returns the limit of multiplying with weights of a type that are in a cache. */
  static LimitKind limit(TensorType type) {
    return type.isQuantized() ? LimitKind.INT8_DOT : LimitKind.FMA;
  }

  static Workload matmul(
      Contestants all,
      String work,
      Weights weights,
      long rows,
      String size,
      Metric metric,
      LimitKind limit,
      String note,
      List<MatmulRival> rivals) {
    Memory x = RandomData.floats(Math.multiplyExact(rows, weights.columns()), 3);
    List<MatmulReference> references =
        List.of(
            MatmulReference.ofMatmul(x.segment(), rows, weights.stored().getFirst()),
            MatmulReference.ofMatmul(x.segment(), rows, weights.stored().getLast()));
    List<Trial> trials = new ArrayList<>();
    for (Backend backend : all.backends()) {
      trials.add(new MatmulTrial(backend, weights, x, rows, references));
    }
    List<AutoCloseable> resources = new ArrayList<>(List.of(weights, x));
    if (!rivals.isEmpty()) {
      RivalData shared = RivalData.ofMatmul(x.segment(), rows, weights);
      resources.addFirst(shared);
      trials.addAll(RivalMatmulTrial.all(rivals, shared, all));
    }
    trials.addAll(all.limitTrials(limit));
    return new Workload(
        work,
        weights.type().name(),
        size,
        shape(rows, weights.rows(), weights.columns()),
        2.0 * rows * weights.rows() * weights.columns(),
        weights.bytes(),
        0,
        metric,
        limit,
        note,
        trials,
        resources);
  }

  private static Map<String, Long> shape(long m, long n, long k) {
    Map<String, Long> shape = new LinkedHashMap<>();
    shape.put("m", m);
    shape.put("n", n);
    shape.put("k", k);
    return shape;
  }
}
