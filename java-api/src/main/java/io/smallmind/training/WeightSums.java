package io.smallmind.training;

import io.smallmind.kernels.Team;
import java.util.Arrays;

/** Gradients of a vector of weights, which each member sums over its own rows first. */
final class WeightSums {
  private final float[][] sums; // (members, length)
  private final int length;

  WeightSums(int members, int length) {
    sums = new float[members][length];
    this.length = length;
  }

  /** Returns a member's sums, set to zero. */
  float[] clear(int member) {
    Arrays.fill(sums[member], 0);
    return sums[member];
  }

  /** Adds the sums of the team's members to a weight's gradient; a barrier must stand before it. */
  void addTo(Parameter weight, Team team, int member, float[] scratch) {
    if (weight.isFrozen()) {
      return;
    }
    int begin = Op.share(length, team, member);
    int count = Op.share(length, team, member + 1) - begin;
    Lines.read(weight.gradient, 4L * begin, scratch, count);
    for (int other = 0; other < team.size(); other++) { // A nested team is smaller.
      float[] sum = sums[other];
      for (int i = 0; i < count; i++) {
        scratch[i] += sum[begin + i];
      }
    }
    Lines.write(scratch, weight.gradient, 4L * begin, count);
  }
}
