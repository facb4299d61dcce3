package io.smallmind.training;

import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;

/**
 * y = x with a share of the values set to zero and the others scaled up, so that sums stay the same
 * on average (Srivastava et al. 2014). What falls is a hash of the batch's seed and the place, so
 * that backward needs no memory of it, and a run can be repeated.
 */
final class DropoutOp extends Op {
  private static final int GRAIN = 8;
  private static final long MIX_A = 0xBF58476D1CE4E5B9L;
  private static final long MIX_B = 0x94D049BB133111EBL;

  private final Tape tape;
  private final int number;
  private final int threshold;
  private final float scale;
  private final Lines lines;

  /**
   * Creates the operation.
   *
   * @param number sets it apart from others on the tape
   * @param share of the values that fall, 0 to below 1
   */
  DropoutOp(Tape tape, int number, double share, Tensor x, Tensor y) {
    super(x, y);
    this.tape = tape;
    this.number = number;
    threshold = (int) Math.round(share * (1 << 24));
    scale = (float) (1 / (1 - share));
    lines = new Lines(tape.members, 1, x.columns);
  }

  @Override
  void forward(Team team, int member) {
    drop(input.value, output.value, tape.isTraining(), team, member);
  }

  @Override
  void backward(Team team, int member) {
    drop(output.gradient, input.gradient, true, team, member);
  }

  private void drop(MemorySegment from, MemorySegment to, boolean drops, Team team, int member) {
    int columns = input.columns;
    int rows = input.rows;
    float[] line = lines.get(member, 0);
    for (int first = (int) team.claim(GRAIN); first < rows; first = (int) team.claim(GRAIN)) {
      for (int row = first; row < Math.min(rows, first + GRAIN); row++) {
        Lines.read(from, input.offset(row), line, columns);
        if (drops) {
          drop(line, columns, key(row));
        }
        Lines.write(line, to, input.offset(row), columns);
      }
    }
  }

  private int key(int row) {
    long key = tape.seed() + ((long) number << 32) + row;
    key = (key ^ (key >>> 30)) * MIX_A;
    key = (key ^ (key >>> 27)) * MIX_B;
    return (int) (key >>> 32);
  }

  private void drop(float[] line, int columns, int key) {
    for (int i = 0; i < columns; i++) {
      int hash = key + i * 0x9E3779B9;
      hash = (hash ^ (hash >>> 16)) * 0x85EBCA6B;
      hash = (hash ^ (hash >>> 13)) * 0xC2B2AE35;
      line[i] *= ((hash ^ (hash >>> 16)) >>> 8) < threshold ? 0 : scale;
    }
  }
}
