package io.smallmind.training;

import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import java.lang.foreign.MemorySegment;

/**
 * y = silu(gate) · up, where a row of x holds all gates, then all ups (Shazeer 2020).
 *
 * <p>Gradients: with s = sigmoid(gate), dup = dy · gate · s and dgate = dy · up · s · (1 + gate ·
 * (1 − s)).
 */
final class SwiGluOp extends Op {
  private static final int GRAIN = 4;

  private final Kernels kernels;
  private final int inner;
  private final Lines lines;
  private final MemorySegment[] sigmoids; // (members), inner values each

  SwiGluOp(Tape tape, Tensor x, Tensor y) {
    super(x, y);
    kernels = tape.kernels;
    inner = y.columns;
    lines = new Lines(tape.members, 4, inner);
    sigmoids = tape.allocatePerMember(inner);
  }

  @Override
  void forward(Team team, int member) {
    int rows = input.rows;
    for (int first = (int) team.claim(GRAIN); first < rows; first = (int) team.claim(GRAIN)) {
      for (int row = first; row < Math.min(rows, first + GRAIN); row++) {
        long gate = input.offset(row);
        long up = gate + 4L * inner;
        long at = output.offset(row);
        MemorySegment y = output.value;
        kernels.unary(UnaryOp.SILU, input.value, gate, y, at, inner);
        kernels.binary(BinaryOp.MULTIPLY, y, at, input.value, up, y, at, inner);
      }
    }
  }

  @Override
  void backward(Team team, int member) {
    float[] gate = lines.get(member, 0);
    float[] up = lines.get(member, 1);
    float[] s = lines.get(member, 2);
    float[] g = lines.get(member, 3);
    MemorySegment sigmoid = sigmoids[member];
    int rows = input.rows;
    for (int first = (int) team.claim(GRAIN); first < rows; first = (int) team.claim(GRAIN)) {
      for (int row = first; row < Math.min(rows, first + GRAIN); row++) {
        long at = input.offset(row);
        kernels.unary(UnaryOp.SIGMOID, input.value, at, sigmoid, 0, inner);
        Lines.read(sigmoid, 0, s, inner);
        Lines.read(input.value, at, gate, inner);
        Lines.read(input.value, at + 4L * inner, up, inner);
        Lines.read(output.gradient, output.offset(row), g, inner);
        for (int i = 0; i < inner; i++) {
          float dy = g[i];
          g[i] = dy * gate[i] * s[i];
          gate[i] = dy * up[i] * s[i] * (1 + gate[i] * (1 - s[i]));
        }
        Lines.write(gate, input.gradient, at, inner);
        Lines.write(g, input.gradient, at + 4L * inner, inner);
      }
    }
  }
}
