package io.smallmind.bench;

import io.smallmind.bench.work.Op;
import io.smallmind.bench.work.Ops;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the operations besides matmul. */
@Command(
    name = "ops",
    description = "Everything but matmul: element by element, and row by row.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class OpsCommand extends MeasuringCommand {
  private static final long LARGEST_SIZE = 1L << 30;

  /** In the second-level cache, in the third, and in memory. */
  private static final List<Long> SIZES = List.of(16_384L, 1_000_000L, 10_000_000L);

  private static final List<Long> QUICK_SIZES = List.of(16_384L, 10_000_000L);

  private static final List<Op> OPS =
      List.of(
          Op.ADD,
          Op.RELU,
          Op.SCALE,
          Op.DOT,
          Op.SILU,
          Op.GELU,
          Op.SOFTMAX,
          Op.RMS_NORM,
          Op.LAYER_NORM,
          Op.ROPE,
          Op.QUANTIZE);

  @Option(
      names = "--ops",
      split = ",",
      paramLabel = "NAME",
      description =
          "add, multiply, scale, dot, relu, gelu, gelu-erf, silu, sigmoid, tanh, softmax,"
              + " layerNorm, rmsNorm, rope, quantize. Default: all but five.")
  @Nullable List<String> names;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "N",
      description = "Numbers of elements. Default: 16384,1000000,10000000.")
  @Nullable List<Long> sizes;

  @Mixin private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (Op op : ops()) {
      for (long size : sizes()) {
        plans.add(new BenchRun.Plan(op.title() + " " + size, all -> Ops.of(all, op, size)));
      }
    }
    return run("ops", options, plans);
  }

  private List<Op> ops() {
    if (names == null) {
      return OPS;
    }
    List<Op> ops = new ArrayList<>();
    for (String name : names) {
      Op op = Op.byTitle(name.strip());
      if (op == null) {
        throw options.usage("--ops: unknown operation '" + name + "'; known are " + Op.titles());
      }
      ops.add(op);
    }
    return ops;
  }

  private List<Long> sizes() {
    List<Long> chosen = new ArrayList<>();
    for (long size : sizes != null ? sizes : options.quick ? QUICK_SIZES : SIZES) {
      if (size < Ops.LENGTH_MULTIPLE || size > LARGEST_SIZE) {
        throw options.usage(
            "--sizes: choose " + Ops.LENGTH_MULTIPLE + " to " + LARGEST_SIZE + ", not " + size);
      }
      chosen.add(size / Ops.LENGTH_MULTIPLE * Ops.LENGTH_MULTIPLE);
    }
    chosen.sort(null);
    return chosen;
  }
}
