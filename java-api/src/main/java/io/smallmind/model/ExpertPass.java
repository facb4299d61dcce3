package io.smallmind.model;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Shares;
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
  private final Kernels kernels;
  private final Batch batch;
  private final ExpertBatch chosen;
  private final ProjectionPass projections;

  ExpertPass(Kernels kernels, Batch batch, ProjectionPass projections) {
    this.kernels = kernels;
    this.batch = batch;
    this.projections = projections;
    chosen = batch.experts();
  }

  /**
   * Computes a feed-forward block of the experts that each row chooses.
   *
   * @param x all rows, normalised and quantized
   */
  void run(Team team, int member, Experts block, Activations x, int rows) {
    projections.project(team, member, block.router(), x, rows);
    team.barrier();
    if (member == 0) {
      chosen.route(rows);
    }
    team.barrier();
    int slots = rows * chosen.used();
    int slotBegin = slots * member / team.size();
    int slotEnd = slots * (member + 1) / team.size();
    for (int slot = slotBegin; slot < slotEnd; slot++) {
      ForwardPass.copyRow(x.source(), chosen.source(slot), chosen.inputs.source(), slot);
    }
    kernels.quantize(chosen.inputs, slotBegin, slotEnd);
    team.barrier();
    activate(team, block);
    team.barrier();
    Activations gate = batch.shared().gate();
    kernels.quantize(gate, slotBegin, slotEnd);
    team.barrier();
    project(team, block.down(), gate);
    team.barrier();
    int end = rows * (member + 1) / team.size();
    for (int row = rows * member / team.size(); row < end; row++) {
      combine(row);
    }
    team.barrier();
  }

  /** Multiplies each expert's sorted rows by its gate and up, and activates them. */
  private void activate(Team team, Experts block) {
    PackedWeights any = block.gate().getFirst();
    long unit = Shares.unitRows(kernels, any);
    long units = Shares.units(kernels, any);
    long chunk = chunk(any, units);
    long chunks = (units + chunk - 1) / chunk;
    int experts = block.gate().size();
    for (long next = team.claim(1); next < chunks * experts; next = team.claim(1)) {
      int expert = (int) (next / chunks);
      int rowBegin = chosen.begin(expert);
      int rowEnd = chosen.begin(expert + 1);
      if (rowBegin < rowEnd) {
        long begin = next % chunks * chunk * unit;
        long end = Math.min(any.rows(), begin + chunk * unit);
        Matrix gate = batch.shared().gate().source();
        kernels.matmul(chosen.inputs, rowBegin, rowEnd, block.gate().get(expert), begin, end, gate);
        kernels.matmul(
            chosen.inputs, rowBegin, rowEnd, block.up().get(expert), begin, end, batch.up);
        projections.activate(rowBegin, rowEnd, begin, end);
      }
    }
  }

  /** Multiplies each expert's sorted rows by its last matrix. */
  private void project(Team team, List<PackedWeights> experts, Activations x) {
    PackedWeights any = experts.getFirst();
    long unit = Shares.unitRows(kernels, any);
    long units = Shares.units(kernels, any);
    long chunk = chunk(any, units);
    long chunks = (units + chunk - 1) / chunk;
    for (long next = team.claim(1); next < chunks * experts.size(); next = team.claim(1)) {
      int expert = (int) (next / chunks);
      int rowBegin = chosen.begin(expert);
      int rowEnd = chosen.begin(expert + 1);
      if (rowBegin < rowEnd) {
        long begin = next % chunks * chunk * unit;
        long end = Math.min(any.rows(), begin + chunk * unit);
        kernels.matmul(x, rowBegin, rowEnd, experts.get(expert), begin, end, chosen.outputs);
      }
    }
  }

  private static long chunk(PackedWeights w, long units) {
    return Shares.chunk(units, w.rows() * w.type().rowBytes(w.columns()), 1);
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
        ForwardPass.add(kernels, batch.residual, row, out, slot, batch.residual);
      }
    }
  }
}
