package io.smallmind.training;

import io.smallmind.kernels.Team;

/**
 * One differentiable operation, recorded on a {@link Tape}. Every member of the team runs its
 * methods at the same time, and claims its share of the work; the tape puts a barrier behind each.
 * They don't allocate.
 *
 * <p>What a member computes never depends on which parts it claimed before, so that results are the
 * same bit for bit whenever the team is as large.
 */
abstract class Op {
  /** What it reads. */
  final Tensor input;

  /** What it writes; for operations in place the input. */
  final Tensor output;

  /**
   * Whether another operation, later on the tape, has written to the input's gradient before, so
   * that this one must add to it rather than overwrite it. Set by {@link Tape#seal}.
   */
  boolean adds;

  Op(Tensor input, Tensor output) {
    this.input = input;
    this.output = output;
  }

  /** Prepares what needs the gradients' memory; called once, when the tape is complete. */
  void prepare() {}

  /** Computes the output from the input. */
  abstract void forward(Team team, int member);

  /** Computes the input's gradient, and adds to that of weights, from the output's gradient. */
  abstract void backward(Team team, int member);

  /** Returns how many of a number of items come before a member's share. */
  static int share(long items, Team team, int member) {
    return (int) (items * member / team.size());
  }
}
