package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;

/**
 * Turns the first heads of each row, its queries and keys, by the row's position in its window, in
 * place (Su et al. 2021). The gradient is turned back: the inverse of a rotation is its transpose.
 */
final class RopeOp extends Op {
  private final Kernels kernels;
  private final RopePairing pairing;
  private final int heads;
  private final int headDim;
  private final int context;

  /** (context, 2, headDim / 2): cosines, then sines; the second with the sines' signs turned. */
  private final MemorySegment table;

  private final MemorySegment inverse;

  RopeOp(
      Tape tape, Tensor x, RopePairing pairing, int heads, int headDim, int context, double base) {
    super(x, x);
    kernels = tape.kernels;
    this.pairing = pairing;
    this.heads = heads;
    this.headDim = headDim;
    this.context = context;
    table = tape.allocate((long) context * headDim);
    inverse = tape.allocate((long) context * headDim);
    int pairs = headDim / 2;
    for (int position = 0; position < context; position++) {
      for (int pair = 0; pair < pairs; pair++) {
        double angle = position * Math.pow(base, -2.0 * pair / headDim);
        long at = (long) position * headDim + pair;
        table.setAtIndex(JAVA_FLOAT, at, (float) Math.cos(angle));
        inverse.setAtIndex(JAVA_FLOAT, at, (float) Math.cos(angle));
        table.setAtIndex(JAVA_FLOAT, at + pairs, (float) Math.sin(angle));
        inverse.setAtIndex(JAVA_FLOAT, at + pairs, (float) -Math.sin(angle));
      }
    }
  }

  @Override
  void forward(Team team, int member) {
    turn(output.value, table, team, member);
  }

  @Override
  void backward(Team team, int member) {
    turn(output.gradient, inverse, team, member);
  }

  private void turn(MemorySegment x, MemorySegment angles, Team team, int member) {
    int end = share(output.rows, team, member + 1);
    for (int row = share(output.rows, team, member); row < end; row++) {
      long at = 4L * (row % context) * headDim;
      kernels.rope(pairing, x, output.offset(row), heads, headDim, headDim, angles, at);
    }
  }
}
