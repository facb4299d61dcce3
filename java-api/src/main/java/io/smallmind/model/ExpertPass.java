package io.smallmind.model;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.model.LayerWeights.Experts;
import io.smallmind.tensor.Matrix;
import java.util.List;

/**
 * The part of a forward pass in which each row takes some of a layer's experts: rows are sorted by
 * expert, so that each expert's weights are read once for all of its rows. Nothing is allocated on
 * the heap.
 *
 * <p>Belongs to one forward pass; not thread-safe.
 */
final class ExpertPass {
  private final ForwardPass pass;
  private final Kernels kernels;
  private final Batch batch;
  private final ExpertBatch chosen;

  ExpertPass(ForwardPass pass, Kernels kernels, Batch batch, ExpertBatch chosen) {
    this.pass = pass;
    this.kernels = kernels;
    this.batch = batch;
    this.chosen = chosen;
  }

  /** Returns the router's scores: (rows, experts). */
  Matrix scores() {
    return chosen.scores;
  }

  /** Computes a feed-forward block of the experts that each row chooses; ends without a barrier. */
  void run(Team team, int member, Experts block, int rows) {
    pass.project(team, block.router(), batch.normed, rows);
    team.barrier();
    if (member == 0) {
      chosen.route(rows);
    }
    team.barrier();
    int slots = rows * chosen.used();
    int slotBegin = slots * member / team.size();
    int slotEnd = slots * (member + 1) / team.size();
    for (int slot = slotBegin; slot < slotEnd; slot++) {
      ForwardPass.copyRow(batch.normed.source(), chosen.source(slot), chosen.inputs.source(), slot);
    }
    kernels.quantize(chosen.inputs, slotBegin, slotEnd);
    team.barrier();
    int claimed = project(team, block.gate(), chosen.inputs, batch.gate.source(), 0, -1);
    project(team, block.up(), chosen.inputs, batch.up, pieces(team, block.gate()), claimed);
    team.barrier();
    pass.activate(slotBegin, slotEnd);
    team.barrier();
    project(team, block.down(), batch.gate, chosen.outputs, 0, -1);
    team.barrier();
    int end = rows * (member + 1) / team.size();
    for (int row = rows * member / team.size(); row < end; row++) {
      combine(row);
    }
  }

  /**
   * Multiplies each expert's sorted rows by its matrix.
   *
   * @param first number of the first piece
   * @param claimed the piece that this member holds from before, or −1
   * @return the piece behind the last, that this member claimed
   */
  private int project(
      Team team, List<PackedWeights> experts, Activations x, Matrix y, int first, int claimed) {
    PackedWeights any = experts.getFirst();
    long piece = pass.piece(team, any);
    int perExpert = (int) ((any.rows() + piece - 1) / piece);
    int next = claimed < 0 ? (int) team.claim(1) : claimed;
    for (; next < first + perExpert * experts.size(); next = (int) team.claim(1)) {
      int expert = (next - first) / perExpert;
      long begin = (next - first) % perExpert * piece;
      long end = Math.min(any.rows(), begin + piece);
      int rowBegin = chosen.begin(expert);
      int rowEnd = chosen.begin(expert + 1);
      if (rowBegin < rowEnd) {
        kernels.matmul(x, rowBegin, rowEnd, experts.get(expert), begin, end, y);
      }
    }
    return next;
  }

  private int pieces(Team team, List<PackedWeights> experts) {
    PackedWeights any = experts.getFirst();
    long piece = pass.piece(team, any);
    return (int) ((any.rows() + piece - 1) / piece) * experts.size();
  }

  /** Computes the weighted sum of a row's experts. */
  private void combine(int row) {
    Matrix out = chosen.outputs;
    for (int choice = 0; choice < chosen.used(); choice++) {
      int slot = chosen.slot(row, choice);
      long offset = out.rowOffset(slot);
      float weight = chosen.weight(row, choice);
      kernels.scale(weight, out.segment(), offset, out.segment(), offset, out.columns());
      if (choice == 0) {
        ForwardPass.copyRow(out, slot, batch.residual, row);
      } else {
        pass.add(batch.residual, row, out, slot, batch.residual);
      }
    }
  }
}
