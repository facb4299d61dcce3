package io.smallmind.bench.work;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** An operation by a backend's kernels, its elements or rows divided evenly among a team. */
final class OpTrial extends Trial implements Team.Work {
  /** Elements of a cache line: no two threads write to one. */
  private static final long GRAIN = 16;

  private static final long CHECKED_OUTPUTS = 8;

  private final Kernels kernels;
  private final Team team;
  private final OpData data;
  private final Memory out;
  private final MemorySegment a;
  private final MemorySegment b;
  private final Matrix in;
  private final Matrix result;
  private final Matrix weight;
  private final Matrix bias;
  private final @Nullable BinaryOp binary;
  private final @Nullable UnaryOp unary;
  private final @Nullable Activations activations;
  private final float[] dots; // (threads)

  OpTrial(Kernels kernels, Team team, OpData data) {
    super(kernels.name(), Role.BACKEND, team.size());
    this.kernels = kernels;
    this.team = team;
    this.data = data;
    out = Memory.allocate(data.length() * Float.BYTES);
    a = data.a().segment();
    b = data.b().segment();
    in = data.matrix(a);
    result = data.matrix(out.segment());
    weight = data.vector(0);
    bias = data.vector(1);
    binary = data.op().binary();
    unary = data.op().unary();
    activations = data.op() == Op.QUANTIZE ? new Activations(kernels, in) : null;
    dots = new float[team.size()];
  }

  @Override
  public Verdict verify() {
    return switch (data.op()) {
      case DOT -> {
        call();
        double sum = 0;
        for (float part : dots) {
          sum += part;
        }
        yield OpReference.checkDot(data, sum);
      }
      case QUANTIZE -> verifyQuantized();
      case ROPE -> {
        out.segment().copyFrom(a); // rotates in place
        call();
        yield OpReference.check(data, out.segment());
      }
      default -> {
        out.segment().fill((byte) -1); // NaN
        call();
        yield OpReference.check(data, out.segment());
      }
    };
  }

  /** The layout is the backend's own, so a product tells whether it is right. */
  private Verdict verifyQuantized() {
    call();
    Activations quantized = activations();
    try (Memory stored =
            Memory.allocate(CHECKED_OUTPUTS * TensorType.Q8_0.rowBytes(data.columns()));
        Memory y = Memory.allocate(data.rows() * CHECKED_OUTPUTS * Float.BYTES)) {
      Matrix weights = RandomData.weights(stored, TensorType.Q8_0, CHECKED_OUTPUTS, data.columns());
      y.segment().fill((byte) -1); // NaN
      try (PackedWeights packed = PackedWeights.pack(kernels, team, weights)) {
        Matrix products = Matrix.of(y.segment(), TensorType.F32, data.rows(), CHECKED_OUTPUTS);
        kernels.matmul(quantized, 0, data.rows(), packed, 0, CHECKED_OUTPUTS, products);
      }
      return MatmulReference.ofMatmul(a, data.rows(), weights).check(y.segment());
    }
  }

  private Activations activations() {
    if (activations == null) {
      throw new IllegalStateException("only for quantize");
    }
    return activations;
  }

  @Override
  public void call() {
    team.run(this);
  }

  @Override
  public void run(Team all, int member) {
    if (data.op().isRowWise()) {
      long begin = data.rows() * member / threads();
      long end = data.rows() * (member + 1) / threads();
      if (begin < end) {
        rows(begin, end);
      }
    } else {
      long begin = data.length() / GRAIN * member / threads() * GRAIN;
      long end =
          member + 1 == threads()
              ? data.length()
              : data.length() / GRAIN * (member + 1) / threads() * GRAIN;
      elements(begin * Float.BYTES, end - begin, member);
    }
  }

  private void rows(long begin, long end) {
    switch (data.op()) {
      case SOFTMAX -> kernels.softmax(in, result, begin, end);
      case LAYER_NORM -> kernels.layerNorm(in, weight, bias, OpData.EPSILON, result, begin, end);
      case RMS_NORM -> kernels.rmsNorm(in, weight, OpData.EPSILON, result, begin, end);
      case QUANTIZE -> kernels.quantize(activations(), begin, end);
      case ROPE -> {
        for (long row = begin; row < end; row++) {
          kernels.rope(
              RopePairing.HALVES,
              out.segment(),
              row * data.columns() * Float.BYTES,
              data.heads(),
              OpData.HEAD_DIM,
              OpData.HEAD_DIM,
              data.table().segment(),
              0);
        }
      }
      default -> throw new IllegalStateException(data.op().title());
    }
  }

  private void elements(long offset, long length, int member) {
    MemorySegment target = out.segment();
    if (binary != null) {
      kernels.binary(binary, a, offset, b, offset, target, offset, length);
    } else if (unary != null) {
      kernels.unary(unary, a, offset, target, offset, length);
    } else if (data.op() == Op.SCALE) {
      kernels.scale(OpData.FACTOR, a, offset, target, offset, length);
    } else {
      dots[member] = kernels.dot(a, offset, b, offset, length);
    }
  }

  @Override
  public void close() {
    out.close();
    if (activations != null) {
      activations.close();
    }
  }
}
