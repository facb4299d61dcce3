package io.smallmind.training;

import io.smallmind.kernels.Team;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * out[row] = table[token of the row] + positions[row's place in its window].
 *
 * <p>Gradients: each row's is added to that of the rows it was taken from. Members share columns
 * rather than rows, since many rows may hold the same token.
 */
final class EmbeddingOp extends Op {
  private final Parameter table;
  private final @Nullable Parameter positions;
  private final int[] tokens; // (rows)
  private final int context;
  private final Lines lines;

  EmbeddingOp(
      Tape tape,
      Parameter table,
      @Nullable Parameter positions,
      int[] tokens,
      int context,
      Tensor out) {
    super(out, out);
    this.table = table;
    this.positions = positions;
    this.tokens = tokens;
    this.context = context;
    lines = new Lines(tape.members, 2, out.columns);
  }

  @Override
  void forward(Team team, int member) {
    int columns = output.columns;
    float[] line = lines.get(member, 0);
    float[] other = lines.get(member, 1);
    int end = share(output.rows, team, member + 1);
    for (int row = share(output.rows, team, member); row < end; row++) {
      Lines.read(table.value, 4L * tokens[row] * columns, line, columns);
      if (positions != null) {
        Lines.read(positions.value, 4L * (row % context) * columns, other, columns);
        for (int i = 0; i < columns; i++) {
          line[i] += other[i];
        }
      }
      Lines.write(line, output.value, output.offset(row), columns);
    }
  }

  @Override
  void backward(Team team, int member) {
    if (table.isFrozen()) {
      return;
    }
    int begin = share(output.columns, team, member);
    int count = share(output.columns, team, member + 1) - begin;
    float[] line = lines.get(member, 0);
    float[] other = lines.get(member, 1);
    for (int row = 0; row < output.rows; row++) {
      Lines.read(output.gradient, output.offset(row) + 4L * begin, line, count);
      add(line, table.gradient, tokens[row], begin, other, count);
      if (positions != null) {
        add(line, positions.gradient, row % context, begin, other, count);
      }
    }
  }

  private void add(float[] line, MemorySegment to, int row, int begin, float[] scratch, int count) {
    Lines.add(line, to, 4L * ((long) row * output.columns + begin), scratch, count);
  }
}
