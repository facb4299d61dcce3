package io.smallmind.training;

import io.smallmind.kernels.Team;
import org.jspecify.annotations.Nullable;

/**
 * y += scale · h · Bᵀ with h = x · Aᵀ: an adapter of low rank beside a weight (Hu et al. 2021),
 * with A (rank, inputs) and B (outputs, rank).
 *
 * <p>Gradients: dh = scale · dy · B, dx = dh · A, dB = scale · dyᵀ · h, dA = dhᵀ · x.
 */
final class LoraOp extends Op {
  private final Tape tape;
  private final Parameter a;
  private final Parameter b;
  private final float scale;
  private final Tensor hidden;
  private final Gemm[] forward;
  private Gemm @Nullable [] backward;

  LoraOp(Tape tape, Tensor x, Parameter a, Parameter b, float scale, Tensor hidden, Tensor y) {
    super(x, y);
    this.tape = tape;
    this.a = a;
    this.b = b;
    this.scale = scale;
    this.hidden = hidden;
    int rows = x.rows;
    int rank = a.rows();
    forward =
        new Gemm[] {
          new Gemm(
              tape.kernels,
              tape.members,
              false,
              true,
              rows,
              rank,
              x.columns,
              1,
              x.value,
              a.value,
              0,
              hidden.value),
          new Gemm(
              tape.kernels,
              tape.members,
              false,
              true,
              rows,
              y.columns,
              rank,
              scale,
              hidden.value,
              b.value,
              1,
              y.value)
        };
  }

  @Override
  void prepare() {
    Tensor x = input;
    Tensor y = output;
    int rows = x.rows;
    int rank = a.rows();
    backward =
        new Gemm[] {
          new Gemm(
              tape.kernels,
              tape.members,
              false,
              false,
              rows,
              rank,
              y.columns,
              scale,
              y.gradient,
              b.value,
              0,
              hidden.gradient),
          new Gemm(
              tape.kernels,
              tape.members,
              true,
              false,
              y.columns,
              rank,
              rows,
              scale,
              y.gradient,
              hidden.value,
              1,
              b.gradient),
          new Gemm(
              tape.kernels,
              tape.members,
              false,
              false,
              rows,
              x.columns,
              rank,
              1,
              hidden.gradient,
              a.value,
              adds ? 1 : 0,
              x.gradient),
          new Gemm(
              tape.kernels,
              tape.members,
              true,
              false,
              rank,
              x.columns,
              rows,
              1,
              hidden.gradient,
              x.value,
              1,
              a.gradient)
        };
  }

  @Override
  void forward(Team team, int member) {
    for (Gemm gemm : forward) {
      run(gemm, team);
    }
  }

  @Override
  void backward(Team team, int member) {
    Gemm[] gemms = backward;
    if (gemms != null) {
      for (Gemm gemm : gemms) {
        run(gemm, team);
      }
    }
  }

  private static void run(Gemm gemm, Team team) {
    for (int i = (int) team.claim(1); i < gemm.pieces(); i = (int) team.claim(1)) {
      gemm.run(i);
    }
    team.barrier();
  }
}
