package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import java.lang.foreign.MemorySegment;

/**
 * y = x · s with s = sigmoid(2u), u = √(2/π) · (x + 0.044715 x³): GELU by its tanh formula
 * (Hendrycks and Gimpel 2016).
 *
 * <p>Gradient: dx = dy · (s + x · s · (1 − s) · 2u′).
 */
final class GeluOp extends Op {
  private static final float ROOT = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final float CUBIC = 0.044715f;
  private static final int CHUNK = 1024;

  private final Kernels kernels;
  private final Lines lines;
  private final MemorySegment[] sigmoids; // (members), CHUNK values each

  GeluOp(Tape tape, Tensor x, Tensor y) {
    super(x, y);
    kernels = tape.kernels;
    lines = new Lines(tape.members, 3, CHUNK);
    sigmoids = tape.allocatePerMember(CHUNK);
  }

  @Override
  void forward(Team team, int member) {
    long length = input.length();
    long grain = 16 * CHUNK;
    for (long at = team.claim(grain); at < length; at = team.claim(grain)) {
      long count = Math.min(grain, length - at);
      kernels.unary(UnaryOp.GELU_TANH, input.value, 4 * at, output.value, 4 * at, count);
    }
  }

  @Override
  void backward(Team team, int member) {
    long length = input.length();
    for (long at = team.claim(CHUNK); at < length; at = team.claim(CHUNK)) {
      int count = (int) Math.min(CHUNK, length - at);
      float[] x = lines.get(member, 0);
      float[] s = lines.get(member, 1);
      float[] g = lines.get(member, 2);
      Lines.read(input.value, 4 * at, x, count);
      for (int i = 0; i < count; i++) {
        s[i] = ROOT * x[i] * (1 + CUBIC * x[i] * x[i]);
      }
      sigmoid(s, sigmoids[member], count);
      Lines.read(output.gradient, 4 * at, g, count);
      for (int i = 0; i < count; i++) {
        float slope = ROOT * (1 + 3 * CUBIC * x[i] * x[i]);
        g[i] *= s[i] + x[i] * s[i] * (1 - s[i]) * slope;
      }
      Lines.write(g, input.gradient, 4 * at, count);
    }
  }

  private void sigmoid(float[] x, MemorySegment scratch, int count) {
    Lines.write(x, scratch, 0, count);
    kernels.unary(UnaryOp.SIGMOID, scratch, 0, scratch, 0, count);
    Lines.read(scratch, 0, x, count);
  }
}
