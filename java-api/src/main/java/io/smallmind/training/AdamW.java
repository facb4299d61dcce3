package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.Arrays;
import java.util.List;

/**
 * Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019) and clipping of
 * the gradients by their norm. A step reads and clears the gradients.
 *
 * <p>With g the clipped gradient: m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g², and w −= rate · (m̂ /
 * (√v̂ + ε) + decay · w), where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
 */
final class AdamW {
  private static final int CHUNK = 4096;

  private final Kernels kernels;
  private final ParameterSet set;
  private final double beta1;
  private final double beta2;
  private final float epsilon;
  private final double decay;
  private final double maxNorm;
  private final Parameter[] owners; // (chunks)
  private final long[] begins; // (chunks): within the owner, in elements
  private final double[] squares; // (chunks)
  private final Lines lines;

  // Of the step at work; written by member 0 between barriers.
  private double norm;
  private float clip;

  AdamW(
      Kernels kernels,
      int members,
      ParameterSet set,
      double beta1,
      double beta2,
      double epsilon,
      double decay,
      double maxNorm) {
    this.kernels = kernels;
    this.set = set;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = (float) epsilon;
    this.decay = decay;
    this.maxNorm = maxNorm;
    List<Parameter> all = set.all();
    int chunks =
        all.stream().mapToInt(each -> Math.toIntExact((each.spec.length() - 1) / CHUNK + 1)).sum();
    owners = new Parameter[chunks];
    begins = new long[chunks];
    squares = new double[chunks];
    int chunk = 0;
    for (Parameter parameter : all) {
      for (long begin = 0; begin < parameter.spec.length(); begin += CHUNK) {
        owners[chunk] = parameter;
        begins[chunk++] = begin;
      }
    }
    lines = new Lines(members, 4, CHUNK);
  }

  /** Returns the norm of all gradients of the last step, before clipping. */
  double norm() {
    return norm;
  }

  /**
   * Changes the weights; every member of the team calls it.
   *
   * @param step number of this step, from 1
   */
  void step(Team team, int member, long step, double rate) {
    for (int i = (int) team.claim(1); i < owners.length; i = (int) team.claim(1)) {
      Parameter owner = owners[i];
      long at = 4 * begins[i];
      squares[i] = kernels.dot(owner.gradient, at, owner.gradient, at, length(i));
    }
    team.barrier();
    if (member == 0) {
      double sum = 0;
      for (double square : squares) {
        sum += square;
      }
      norm = Math.sqrt(sum);
      clip = maxNorm > 0 && norm > maxNorm ? (float) (maxNorm / norm) : 1;
    }
    team.barrier();
    if (!Double.isFinite(norm)) {
      return; // The weights stay as they are; the trainer tells.
    }
    double size = rate / (1 - Math.pow(beta1, step));
    double root = Math.sqrt(1 - Math.pow(beta2, step));
    for (int i = (int) team.claim(1); i < owners.length; i = (int) team.claim(1)) {
      double shrink = owners[i].spec.decays() ? 1 - rate * decay : 1;
      update(i, member, (float) size, (float) (1 / root), (float) shrink);
    }
  }

  private int length(int chunk) {
    return (int) Math.min(CHUNK, owners[chunk].spec.length() - begins[chunk]);
  }

  private void update(int chunk, int member, float size, float rootScale, float shrink) {
    Parameter owner = owners[chunk];
    int length = length(chunk);
    long at = 4 * begins[chunk];
    long inBlock = owner.value.address() - set.values.address() + at;
    float[] w = lines.get(member, 0);
    float[] g = lines.get(member, 1);
    float[] m = lines.get(member, 2);
    float[] v = lines.get(member, 3);
    Lines.read(owner.value, at, w, length);
    Lines.read(owner.gradient, at, g, length);
    Lines.read(set.firstMoments, inBlock, m, length);
    Lines.read(set.secondMoments, inBlock, v, length);
    float b1 = (float) beta1;
    float b2 = (float) beta2;
    float rest1 = (float) (1 - beta1);
    float rest2 = (float) (1 - beta2);
    float factor = clip;
    float tiny = epsilon;
    for (int i = 0; i < length; i++) {
      float gradient = g[i] * factor;
      m[i] = b1 * m[i] + rest1 * gradient;
      v[i] = b2 * v[i] + rest2 * gradient * gradient;
      w[i] = shrink * w[i] - size * m[i] / ((float) Math.sqrt(v[i]) * rootScale + tiny);
    }
    Lines.write(w, owner.value, at, length);
    Lines.write(m, set.firstMoments, inBlock, length);
    Lines.write(v, set.secondMoments, inBlock, length);
    Arrays.fill(g, 0, length, 0);
    Lines.write(g, owner.gradient, at, length);
  }
}
