package io.smallmind.bench;

import io.smallmind.bench.work.Matmuls;
import io.smallmind.bench.work.ModelMatmuls;
import io.smallmind.error.SmallMindException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures matmuls of every type, from caches and from memory. */
@Command(
    name = "matmul",
    description = "Multiply matrices: gemm (from caches) and gemv (weights from memory).",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class MatmulCommand extends MeasuringCommand {
  private static final long LARGEST_SIZE = 1 << 16;
  private static final long GEMV_SIZE = 4096;
  private static final List<Long> SIZES = List.of(128L, 512L, 2048L);
  private static final List<Long> QUICK_SIZES = List.of(128L, 512L);
  private static final List<Long> MODEL_ROWS = List.of(1L, 32L);
  private static final List<String> TYPES = List.of("F32", "Q4_0", "Q4_K", "Q6_K", "Q8_0");

  /** What is multiplied. */
  enum Mode {
    /** m, n and k alike large. */
    gemm,
    /** One row of activations, or a few. */
    gemv
  }

  @Option(
      names = "--mode",
      split = ",",
      paramLabel = "MODE",
      description =
          "gemm (weights from caches), gemv (weights from memory). Default: both; gemm if"
              + " sizes are given, gemv if rows are.")
  @Nullable List<Mode> modes;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "N",
      description = "Square sizes of gemm. Default: 128,512,2048, quick 128,512.")
  @Nullable List<Long> sizes;

  @Option(names = "--m", paramLabel = "N", description = "Rows of activations in gemm.")
  @Nullable Long m;

  @Option(names = "--n", paramLabel = "N", description = "Outputs: rows of the weights.")
  @Nullable Long n;

  @Option(names = "--k", paramLabel = "N", description = "Inputs: length of the rows.")
  @Nullable Long k;

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "N",
      description = "Rows of activations in gemv, of 4096 × 4096 or --n × --k. Default: 1.")
  @Nullable List<Long> rows;

  @Option(
      names = "--types",
      split = ",",
      paramLabel = "TYPE",
      description = "Types of the weights. Default: F32,Q4_0,Q4_K,Q6_K,Q8_0.")
  @Nullable List<String> types;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      description = "Multiply with the tensors of a GGUF file, one case for each shape and type.")
  @Nullable Path model;

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    return run("matmul", options, model == null ? plans() : modelPlans(model));
  }

  private List<BenchRun.Plan> plans() {
    List<long[]> shapes = shapes();
    List<TensorType> chosen = types();
    List<Mode> wanted = modes();
    List<BenchRun.Plan> plans = new ArrayList<>();
    if (wanted.contains(Mode.gemm)) {
      for (TensorType type : chosen) {
        for (long[] shape : shapes) {
          if (shapes.size() > 1 && shape[2] % type.blockLength() != 0) {
            continue; // one list of sizes serves all types, whatever their blocks
          }
          checkColumns(type, shape[2]);
          String title = "gemm " + type + " " + shape[0] + "×" + shape[1] + "×" + shape[2];
          plans.add(
              new BenchRun.Plan(
                  title, all -> Matmuls.gemm(all, type, shape[0], shape[1], shape[2])));
        }
      }
    }
    if (wanted.contains(Mode.gemv)) {
      long outputs = size("--n", n == null ? GEMV_SIZE : n);
      long inputs = size("--k", k == null ? GEMV_SIZE : k);
      for (TensorType type : chosen) {
        checkColumns(type, inputs);
        for (long count : rows(List.of(1L))) {
          String title = "gemv " + type + " " + outputs + "×" + inputs + ", rows: " + count;
          plans.add(
              new BenchRun.Plan(title, all -> Matmuls.gemv(all, type, count, outputs, inputs)));
        }
      }
    }
    return plans;
  }

  private List<BenchRun.Plan> modelPlans(Path file) {
    if (sizes != null || m != null || n != null || k != null || modes != null) {
      throw options.usage(
          "--model brings its own shapes; leave out --sizes, --m, --n, --k, --mode");
    }
    if (!Files.isRegularFile(file)) {
      throw options.usage("--model: no file " + file);
    }
    List<TensorType> wanted = types == null ? List.of() : types();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelMatmuls.Group group : ModelMatmuls.groups(file)) {
      if (!wanted.isEmpty() && !wanted.contains(group.type())) {
        continue;
      }
      for (long count : rows(MODEL_ROWS)) {
        plans.add(
            new BenchRun.Plan(
                group.title() + ", rows: " + count,
                all -> ModelMatmuls.of(all, file, group, count)));
      }
    }
    if (plans.isEmpty()) {
      throw options.usage("--model: " + file + " has no matrices of the types asked for");
    }
    return plans;
  }

  private List<long[]> shapes() {
    if (sizes != null && (m != null || n != null || k != null)) {
      throw options.usage("--sizes is for square matrices; leave out --m, --n and --k");
    }
    if (m != null && (n == null || k == null)) {
      throw options.usage("--m, --n and --k belong together");
    }
    if (m == null && (n != null || k != null) && rows == null) {
      throw options.usage("--n and --k need --m (gemm) or --rows (gemv)");
    }
    List<long[]> shapes = new ArrayList<>();
    if (m != null && n != null && k != null) {
      shapes.add(new long[] {size("--m", m), size("--n", n), size("--k", k)});
      return shapes;
    }
    List<Long> square = sizes != null ? sizes : options.quick ? QUICK_SIZES : SIZES;
    for (long size : square) {
      size("--sizes", size);
      shapes.add(new long[] {size, size, size});
    }
    shapes.sort((a, b) -> Long.compare(a[0], b[0]));
    return shapes;
  }

  private List<Mode> modes() {
    if (modes != null) {
      return modes;
    }
    if (rows != null) {
      return m == null && sizes == null ? List.of(Mode.gemv) : List.of(Mode.gemm, Mode.gemv);
    }
    return m == null && sizes == null ? List.of(Mode.gemm, Mode.gemv) : List.of(Mode.gemm);
  }

  private List<Long> rows(List<Long> standard) {
    if (rows == null) {
      return standard;
    }
    for (long count : rows) {
      size("--rows", count);
    }
    return rows;
  }

  private List<TensorType> types() {
    List<TensorType> chosen = new ArrayList<>();
    for (String name : types == null ? TYPES : types) {
      try {
        TensorType type = TensorType.byName(name.strip());
        type.codec();
        chosen.add(type);
      } catch (SmallMindException e) {
        throw options.usage("--types: " + e.getMessage());
      }
    }
    return chosen;
  }

  private void checkColumns(TensorType type, long columns) {
    if (columns % type.blockLength() != 0) {
      throw options.usage(
          "a row of "
              + type
              + " is a multiple of "
              + type.blockLength()
              + " elements; "
              + columns
              + " is none");
    }
  }

  private long size(String option, long size) {
    if (size < 1 || size > LARGEST_SIZE) {
      throw options.usage(option + ": choose 1 to " + LARGEST_SIZE + ", not " + size);
    }
    return size;
  }
}
