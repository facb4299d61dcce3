package io.smallmind.model;

import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Shares;
import io.smallmind.kernels.Team;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * The part of a forward pass in which rows are multiplied by matrices: all rows by all members,
 * each computing other outputs, or some rows by a member that computes all of theirs. Nothing is
 * allocated on the heap.
 *
 * <p>Belongs to one forward pass; not thread-safe beyond that.
 */
final class ProjectionPass {
  /** Units of a gate whose outputs, for some hundred rows, stay in the cache. */
  private static final long CACHED_UNITS = 8;

  private final Kernels kernels;
  private final Batch batch;
  private final UnaryOp activation;
  private final boolean gated;
  private final AdapterPass adapters;

  ProjectionPass(ModelConfig config, Kernels kernels, Batch batch, AdapterPass adapters) {
    this.kernels = kernels;
    this.batch = batch;
    this.adapters = adapters;
    activation = config.architecture().activation();
    gated = config.architecture().isGated();
  }

  /** Multiplies some rows by several matrices; biases are left to whoever reads the outputs. */
  void projectRows(int member, Projection[] projections, Activations x, int begin, int end) {
    if (begin < end) {
      adapters.begin(member, projections, x, begin, end);
      project(member, projections, x, begin, end, 0, Long.MAX_VALUE);
    }
  }

  /** Does a member's part of multiplying all rows; biases are left to whoever reads the outputs. */
  void project(Team team, int member, Projection[] projections, Activations x, int rows) {
    if (rows == 0) {
      return;
    }
    long units = 0;
    long bytes = 0;
    for (Projection projection : projections) {
      units += Shares.units(kernels, projection.weights());
      bytes += bytes(projection.weights());
    }
    long fixed = Shares.fixed(units, bytes, rows, team.size());
    long chunk = Shares.chunk(units, bytes, rows);
    long begin = fixed * member / team.size();
    long end = fixed * (member + 1) / team.size();
    adapters.begin(member, projections, x, 0, rows);
    project(member, projections, x, 0, rows, begin, end);
    long rest = units - fixed;
    for (long first = 0; first < rest; ) {
      long claim = team.claim(1);
      first = Shares.claimed(claim, rest, chunk, team.size());
      long last = Shares.claimed(claim + 1, rest, chunk, team.size());
      project(member, projections, x, 0, rows, fixed + first, fixed + last);
    }
  }

  /** Computes a range of the units of all projections, one behind the other. */
  private void project(
      int member,
      Projection[] projections,
      Activations x,
      int rowBegin,
      int rowEnd,
      long begin,
      long end) {
    long first = 0;
    for (int index = 0; index < projections.length; index++) {
      Projection projection = projections[index];
      PackedWeights w = projection.weights();
      long units = Shares.units(kernels, w);
      long from = Math.max(begin, first) - first;
      long to = Math.min(end, first + units) - first;
      if (from < to) {
        long unit = Shares.unitRows(kernels, w);
        Matrix y = batch.target(projection.target());
        long last = Math.min(w.rows(), to * unit);
        kernels.matmul(x, rowBegin, rowEnd, w, from * unit, last, y);
        adapters.add(member, index, projection, rowBegin, rowEnd, from * unit, last, y);
      }
      first += units;
    }
  }

  /** Multiplies some rows by the gate's matrix, and up's where there is one, and activates them. */
  void activateRows(int member, Projection[] inputs, Activations x, int begin, int end) {
    adapters.begin(member, inputs, x, begin, end);
    long units = Shares.units(kernels, inputs[0].weights());
    for (long unit = 0; unit < units && begin < end; unit += CACHED_UNITS) {
      activate(member, inputs, x, begin, end, unit, Math.min(units, unit + CACHED_UNITS));
    }
  }

  /**
   * Does a member's part of multiplying all rows by the gate's matrix, and up's where there is one,
   * and activates the outputs while they are in the cache.
   */
  void activate(Team team, int member, Projection[] inputs, Activations x, int rows) {
    PackedWeights gate = inputs[0].weights();
    long units = Shares.units(kernels, gate);
    long bytes = inputs.length * bytes(gate);
    long fixed = Shares.fixed(units, bytes, rows, team.size());
    long chunk = Shares.chunk(units, bytes, rows);
    long begin = fixed * member / team.size();
    long end = fixed * (member + 1) / team.size();
    adapters.begin(member, inputs, x, 0, rows);
    activate(member, inputs, x, 0, rows, begin, end);
    long rest = units - fixed;
    for (long first = 0; first < rest; ) {
      long claim = team.claim(1);
      first = Shares.claimed(claim, rest, chunk, team.size());
      long last = Shares.claimed(claim + 1, rest, chunk, team.size());
      activate(member, inputs, x, 0, rows, fixed + first, fixed + last);
    }
  }

  private void activate(
      int member,
      Projection[] inputs,
      Activations x,
      int rowBegin,
      int rowEnd,
      long begin,
      long end) {
    if (begin >= end) {
      return;
    }
    PackedWeights gate = inputs[0].weights();
    long unit = Shares.unitRows(kernels, gate);
    long from = begin * unit;
    long to = Math.min(gate.rows(), end * unit);
    for (int index = 0; index < inputs.length; index++) {
      Projection input = inputs[index];
      Matrix y = batch.target(input.target());
      kernels.matmul(x, rowBegin, rowEnd, input.weights(), from, to, y);
      adapters.add(member, index, input, rowBegin, rowEnd, from, to, y);
    }
    for (Projection input : inputs) {
      Matrix bias = input.bias();
      if (bias != null) {
        Matrix y = batch.target(input.target());
        for (int row = rowBegin; row < rowEnd; row++) {
          combine(BinaryOp.ADD, y, row, bias, 0, from, to);
        }
      }
    }
    activate(rowBegin, rowEnd, from, to);
  }

  /** Activates rows and columns of the gate, and lets up pass through it. */
  void activate(long rowBegin, long rowEnd, long from, long to) {
    Matrix gate = batch.shared().gate().source();
    if (gated) {
      kernels.gate(activation, gate, batch.up, rowBegin, rowEnd, from, to);
      return;
    }
    MemorySegment values = gate.segment();
    for (long row = rowBegin; row < rowEnd; row++) {
      long offset = gate.rowOffset(row) + 4 * from;
      kernels.unary(activation, values, offset, values, offset, to - from);
    }
  }

  /** Computes a[row] op= b[bRow] in a range of columns. */
  private void combine(BinaryOp op, Matrix a, long row, Matrix b, long bRow, long from, long to) {
    long offset = a.rowOffset(row) + 4 * from;
    kernels.binary(
        op,
        a.segment(),
        offset,
        b.segment(),
        b.rowOffset(bRow) + 4 * from,
        a.segment(),
        offset,
        to - from);
  }

  private static long bytes(PackedWeights w) {
    return w.rows() * w.type().rowBytes(w.columns());
  }
}
