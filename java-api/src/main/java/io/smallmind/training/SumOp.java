package io.smallmind.training;

import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;

/**
 * out = a + b: a block's result added to the stream. The gradient of a sum is that of both its
 * parts, so all three share one buffer, and there is nothing to compute backward.
 */
final class SumOp extends Op {
  private static final long GRAIN = 1 << 14;

  private final Kernels kernels;
  private final Tensor b;

  SumOp(Tape tape, Tensor a, Tensor b, Tensor out) {
    super(a, out);
    kernels = tape.kernels;
    this.b = b;
  }

  @Override
  void forward(Team team, int member) {
    long length = output.length();
    for (long at = team.claim(GRAIN); at < length; at = team.claim(GRAIN)) {
      long count = Math.min(GRAIN, length - at);
      kernels.binary(
          BinaryOp.ADD, input.value, 4 * at, b.value, 4 * at, output.value, 4 * at, count);
    }
  }

  @Override
  void backward(Team team, int member) {}
}
