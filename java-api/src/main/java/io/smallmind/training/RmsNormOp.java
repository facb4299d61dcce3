package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;

/**
 * y = x · r · w with r = 1 / √(mean(x²) + ε), row by row (Zhang and Sennrich 2019).
 *
 * <p>Gradients: with g = w · dy, dx = r · g − x · r³ · mean(g · x), and dw = Σ over rows dy · x ·
 * r.
 */
final class RmsNormOp extends Op {
  private final Kernels kernels;
  private final Parameter weight;
  private final float epsilon;
  private final Matrix in;
  private final Matrix out;
  private final Matrix weights;
  private final Lines lines;
  private final WeightSums sums;

  RmsNormOp(Tape tape, Tensor x, Parameter weight, float epsilon, Tensor y) {
    super(x, y);
    kernels = tape.kernels;
    this.weight = weight;
    this.epsilon = epsilon;
    in = Matrix.of(x.value, TensorType.F32, x.rows, x.columns);
    out = Matrix.of(y.value, TensorType.F32, y.rows, y.columns);
    weights = Matrix.of(weight.value, TensorType.F32, 1, x.columns);
    lines = new Lines(tape.members, 4, x.columns);
    sums = new WeightSums(tape.members, x.columns);
  }

  @Override
  void forward(Team team, int member) {
    int begin = share(output.rows, team, member);
    int end = share(output.rows, team, member + 1);
    if (begin < end) {
      kernels.rmsNorm(in, weights, epsilon, out, begin, end);
    }
  }

  @Override
  void backward(Team team, int member) {
    int columns = input.columns;
    float[] w = lines.get(member, 0);
    float[] x = lines.get(member, 1);
    float[] g = lines.get(member, 2);
    float[] scratch = lines.get(member, 3);
    float[] dw = sums.clear(member);
    Lines.read(weight.value, 0, w, columns);
    int end = share(output.rows, team, member + 1);
    for (int row = share(output.rows, team, member); row < end; row++) {
      Lines.read(input.value, input.offset(row), x, columns);
      Lines.read(output.gradient, output.offset(row), g, columns);
      float r = (float) (1 / Math.sqrt((double) Lines.dot(x, x, columns) / columns + epsilon));
      for (int i = 0; i < columns; i++) {
        dw[i] += g[i] * x[i] * r;
        g[i] *= w[i];
      }
      float factor = r * r * r * Lines.dot(g, x, columns) / columns;
      for (int i = 0; i < columns; i++) {
        g[i] = r * g[i] - factor * x[i];
      }
      if (adds) {
        Lines.add(g, input.gradient, input.offset(row), scratch, columns);
      } else {
        Lines.write(g, input.gradient, input.offset(row), columns);
      }
    }
    team.barrier();
    sums.addTo(weight, team, member, scratch);
  }
}
