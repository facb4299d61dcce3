package io.smallmind.bench;

import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.bench.work.Matmuls;
import io.smallmind.error.SmallMindException;
import io.smallmind.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which matrices are multiplied beside others. */
final class PeerMatrices {
  private static final long LARGEST_SIZE = 1 << 15;
  private static final List<String> TYPES = List.of("F32", "Q4_0", "Q8_0");

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "N",
      description = "Multiply square matrices of these sizes (gemm, from caches).")
  List<Long> sizes = List.of();

  @Option(
      names = "--gemv",
      split = ",",
      paramLabel = "N",
      description = "Multiply square weights of these sizes with a row (from memory).")
  List<Long> gemv = List.of();

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "N",
      description = "Rows of activations of --gemv. Default: 1.")
  List<Long> rows = List.of(1L);

  /** Returns whether any are wanted. */
  boolean areWanted() {
    return !sizes.isEmpty() || !gemv.isEmpty();
  }

  /**
   * Returns the work that is asked for.
   *
   * @param types of the weights; null for those that most libraries know
   */
  List<BenchRun.Plan> plans(
      RunOptions options, @Nullable List<String> types, List<MatmulRival> rivals) {
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (TensorType type : types(options, types == null ? TYPES : types)) {
      for (long size : sizes) {
        check(options, "--sizes", size, type);
        plans.add(
            new BenchRun.Plan(
                "gemm " + type + " " + size + "³",
                all -> Matmuls.gemm(all, type, size, size, size, rivals)));
      }
      for (long size : gemv) {
        check(options, "--gemv", size, type);
        for (long count : rows) {
          check(options, "--rows", count, TensorType.F32);
          plans.add(
              new BenchRun.Plan(
                  "gemv " + type + " " + size + "², rows: " + count,
                  all -> Matmuls.gemv(all, type, count, size, size, rivals)));
        }
      }
    }
    return plans;
  }

  private static List<TensorType> types(RunOptions options, List<String> names) {
    List<TensorType> types = new ArrayList<>();
    for (String name : names) {
      try {
        TensorType type = TensorType.byName(name.strip());
        type.codec();
        types.add(type);
      } catch (SmallMindException e) {
        throw options.usage("--types: " + e.getMessage());
      }
    }
    return types;
  }

  private static void check(RunOptions options, String option, long size, TensorType type) {
    if (size < 1 || size > LARGEST_SIZE || size % type.blockLength() != 0) {
      throw options.usage(
          option
              + ": choose 1 to "
              + LARGEST_SIZE
              + " in steps of "
              + type.blockLength()
              + " for "
              + type
              + ", not "
              + size);
    }
  }
}
