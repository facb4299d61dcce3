package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * y = x · Wᵀ + bias, with W (outputs, inputs).
 *
 * <p>Gradients: dx = dy · W, dW = dyᵀ · x, dbias = the sum of dy's rows.
 */
final class MatmulOp extends Op {
  private static final int BIAS_COLUMNS = 256;

  private final Kernels kernels;
  private final int members;
  private final Parameter weight;
  private final @Nullable Parameter bias;
  private final Gemm product;
  private final Lines lines;
  private @Nullable Gemm inputGradient;
  private @Nullable Gemm weightGradient;

  MatmulOp(Tape tape, Tensor x, Parameter weight, @Nullable Parameter bias, Tensor y) {
    super(x, y);
    kernels = tape.kernels;
    members = tape.members;
    this.weight = weight;
    this.bias = bias;
    product =
        new Gemm(
            kernels,
            members,
            false,
            true,
            y.rows,
            y.columns,
            x.columns,
            1,
            x.value,
            weight.value,
            0,
            y.value);
    lines = new Lines(members, 2, BIAS_COLUMNS);
  }

  @Override
  void prepare() {
    Tensor x = input;
    Tensor y = output;
    inputGradient =
        new Gemm(
            kernels,
            members,
            false,
            false,
            x.rows,
            x.columns,
            y.columns,
            1,
            y.gradient,
            weight.value,
            adds ? 1 : 0,
            x.gradient);
    if (!weight.isFrozen()) {
      weightGradient =
          new Gemm(
              kernels,
              members,
              true,
              false,
              y.columns,
              x.columns,
              y.rows,
              1,
              y.gradient,
              x.value,
              1,
              weight.gradient);
    }
  }

  @Override
  void forward(Team team, int member) {
    for (int i = (int) team.claim(1); i < product.pieces(); i = (int) team.claim(1)) {
      product.run(i);
    }
    if (bias != null) {
      team.barrier();
      MemorySegment y = output.value;
      int columns = output.columns;
      int end = share(output.rows, team, member + 1);
      for (int row = share(output.rows, team, member); row < end; row++) {
        long at = output.offset(row);
        kernels.binary(BinaryOp.ADD, y, at, bias.value, 0, y, at, columns);
      }
    }
  }

  @Override
  void backward(Team team, int member) {
    int first = inputGradient == null ? 0 : inputGradient.pieces();
    int second = first + (weightGradient == null ? 0 : weightGradient.pieces());
    boolean biased = bias != null && !bias.isFrozen();
    int all = second + (biased ? (output.columns + BIAS_COLUMNS - 1) / BIAS_COLUMNS : 0);
    for (int i = (int) team.claim(1); i < all; i = (int) team.claim(1)) {
      if (i < first && inputGradient != null) {
        inputGradient.run(i);
      } else if (i < second && weightGradient != null) {
        weightGradient.run(i - first);
      } else if (bias != null) {
        addBiasGradient(bias, (i - second) * BIAS_COLUMNS, member);
      }
    }
  }

  private void addBiasGradient(Parameter bias, int begin, int member) {
    int count = Math.min(BIAS_COLUMNS, output.columns - begin);
    float[] sum = lines.get(member, 0);
    float[] line = lines.get(member, 1);
    MemorySegment.copy(bias.gradient, JAVA_FLOAT, 4L * begin, sum, 0, count);
    for (int row = 0; row < output.rows; row++) {
      Lines.read(output.gradient, output.offset(row) + 4L * begin, line, count);
      for (int i = 0; i < count; i++) {
        sum[i] += line[i];
      }
    }
    Lines.write(sum, bias.gradient, 4L * begin, count);
  }
}
