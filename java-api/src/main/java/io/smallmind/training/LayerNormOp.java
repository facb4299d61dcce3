package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;

/**
 * y = n · w + b with n = (x − mean) · r and r = 1 / √(variance + ε), row by row (Ba et al. 2016).
 *
 * <p>Gradients: with g = w · dy, dx = r · (g − mean(g) − n · mean(g · n)), dw = Σ over rows dy · n,
 * and db = Σ over rows dy.
 */
final class LayerNormOp extends Op {
  private final Kernels kernels;
  private final Parameter weight;
  private final Parameter bias;
  private final float epsilon;
  private final Matrix in;
  private final Matrix out;
  private final Matrix weights;
  private final Matrix biases;
  private final Lines lines;
  private final WeightSums weightSums;
  private final WeightSums biasSums;

  LayerNormOp(Tape tape, Tensor x, Parameter weight, Parameter bias, float epsilon, Tensor y) {
    super(x, y);
    kernels = tape.kernels;
    this.weight = weight;
    this.bias = bias;
    this.epsilon = epsilon;
    in = Matrix.of(x.value, TensorType.F32, x.rows, x.columns);
    out = Matrix.of(y.value, TensorType.F32, y.rows, y.columns);
    weights = Matrix.of(weight.value, TensorType.F32, 1, x.columns);
    biases = Matrix.of(bias.value, TensorType.F32, 1, x.columns);
    lines = new Lines(tape.members, 4, x.columns);
    weightSums = new WeightSums(tape.members, x.columns);
    biasSums = new WeightSums(tape.members, x.columns);
  }

  @Override
  void forward(Team team, int member) {
    int begin = share(output.rows, team, member);
    int end = share(output.rows, team, member + 1);
    if (begin < end) {
      kernels.layerNorm(in, weights, biases, epsilon, out, begin, end);
    }
  }

  @Override
  void backward(Team team, int member) {
    int columns = input.columns;
    float[] w = lines.get(member, 0);
    float[] n = lines.get(member, 1);
    float[] g = lines.get(member, 2);
    float[] scratch = lines.get(member, 3);
    float[] dw = weightSums.clear(member);
    float[] db = biasSums.clear(member);
    Lines.read(weight.value, 0, w, columns);
    int end = share(output.rows, team, member + 1);
    for (int row = share(output.rows, team, member); row < end; row++) {
      Lines.read(input.value, input.offset(row), n, columns);
      Lines.read(output.gradient, output.offset(row), g, columns);
      float r = normalize(n, columns);
      for (int i = 0; i < columns; i++) {
        dw[i] += g[i] * n[i];
        db[i] += g[i];
        g[i] *= w[i];
      }
      float mean = Lines.sum(g, columns) / columns;
      float slope = Lines.dot(g, n, columns) / columns;
      for (int i = 0; i < columns; i++) {
        g[i] = r * (g[i] - mean - n[i] * slope);
      }
      if (adds) {
        Lines.add(g, input.gradient, input.offset(row), scratch, columns);
      } else {
        Lines.write(g, input.gradient, input.offset(row), columns);
      }
    }
    team.barrier();
    weightSums.addTo(weight, team, member, scratch);
    biasSums.addTo(bias, team, member, scratch);
  }

  /** Replaces x by (x − mean) · r and returns r. */
  private float normalize(float[] x, int columns) {
    float mean = Lines.sum(x, columns) / columns;
    for (int i = 0; i < columns; i++) {
      x[i] -= mean;
    }
    float r = (float) (1 / Math.sqrt((double) Lines.dot(x, x, columns) / columns + epsilon));
    for (int i = 0; i < columns; i++) {
      x[i] *= r;
    }
    return r;
  }
}
