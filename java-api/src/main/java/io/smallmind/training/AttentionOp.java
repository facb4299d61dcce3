package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * Causal attention within windows: out = softmax(scale · q · kᵀ) · v for each head, where a row of
 * x holds all queries, then all keys, then all values. Query head h reads key head h / (heads /
 * kvHeads).
 *
 * <p>Scores exist for a tile of {@value #TILE} queries at a time, and are computed anew for the
 * gradients: with p the probabilities and D = Σ dout · out of each row, dv = pᵀ · dout, ds = p ·
 * (dout · vᵀ − D), dq = scale · ds · k, dk = scale · dsᵀ · q (Dao et al. 2022). A member works on
 * all that reads one key head of one window, so that no two members write to the same place.
 */
final class AttentionOp extends Op {
  private static final int TILE = 64;

  private final Kernels kernels;
  private final int windows;
  private final int context;
  private final int heads;
  private final int kvHeads;
  private final int headDim;
  private final float scale;
  private final MemorySegment[] scores; // (members) of (TILE, context)
  private final MemorySegment[] slopes; // (members) of (TILE, context)
  private final Matrix[][] tiles; // (members, tiles): the scores of the keys that a tile sees
  private final Lines lines;

  AttentionOp(Tape tape, Tensor x, int context, int heads, int kvHeads, int headDim, Tensor out) {
    super(x, out);
    kernels = tape.kernels;
    this.context = context;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.headDim = headDim;
    windows = x.rows / context;
    scale = (float) (1 / Math.sqrt(headDim));
    scores = tape.allocatePerMember((long) TILE * context);
    slopes = tape.allocatePerMember((long) TILE * context);
    tiles = new Matrix[tape.members][(context + TILE - 1) / TILE];
    for (int member = 0; member < tape.members; member++) {
      for (int tile = 0; tile < tiles[member].length; tile++) {
        int keys = Math.min(context, (tile + 1) * TILE);
        tiles[member][tile] = Matrix.of(scores[member], TensorType.F32, TILE, keys, 4L * context);
      }
    }
    lines = new Lines(tape.members, 2, Math.max(context, headDim));
  }

  /** Returns the offset of a head in a window's first row of x, in bytes. */
  private long at(int window, int head) {
    return input.offset((long) window * context) + 4L * head * headDim;
  }

  private long outputAt(int window, int head, int row) {
    return output.offset((long) window * context + row) + 4L * head * headDim;
  }

  @Override
  void forward(Team team, int member) {
    int units = windows * kvHeads;
    for (int unit = (int) team.claim(1); unit < units; unit = (int) team.claim(1)) {
      int window = unit / kvHeads;
      int kvHead = unit % kvHeads;
      int group = heads / kvHeads;
      for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        for (int tile = 0; tile < tiles[member].length; tile++) {
          attend(window, head, kvHead, tile, member);
        }
      }
    }
  }

  private void attend(int window, int head, int kvHead, int tile, int member) {
    int begin = tile * TILE;
    int keys = Math.min(context, begin + TILE);
    int rows = keys - begin;
    long v = at(window, heads + kvHeads + kvHead);
    probabilities(window, head, kvHead, tile, member);
    kernels.gemm(
        false,
        false,
        rows,
        headDim,
        keys,
        1,
        scores[member],
        0,
        context,
        input.value,
        v,
        input.columns,
        0,
        output.value,
        outputAt(window, head, begin),
        output.columns);
  }

  /** Fills the scores of a tile with what each of its queries takes of each key. */
  private void probabilities(int window, int head, int kvHead, int tile, int member) {
    int begin = tile * TILE;
    int keys = Math.min(context, begin + TILE);
    int rows = keys - begin;
    MemorySegment s = scores[member];
    long q = at(window, head) + input.offset(begin);
    long k = at(window, heads + kvHead);
    kernels.gemm(
        false,
        true,
        rows,
        keys,
        headDim,
        scale,
        input.value,
        q,
        input.columns,
        input.value,
        k,
        input.columns,
        0,
        s,
        0,
        context);
    for (int row = 0; row < rows; row++) {
      for (int key = begin + row + 1; key < keys; key++) {
        s.setAtIndex(JAVA_FLOAT, (long) row * context + key, Float.NEGATIVE_INFINITY);
      }
    }
    kernels.softmax(tiles[member][tile], tiles[member][tile], 0, rows);
  }

  @Override
  void backward(Team team, int member) {
    int units = windows * kvHeads;
    for (int unit = (int) team.claim(1); unit < units; unit = (int) team.claim(1)) {
      int window = unit / kvHeads;
      int kvHead = unit % kvHeads;
      int group = heads / kvHeads;
      int last = tiles[member].length - 1;
      for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        // The last tile sees all keys, and begins their gradients.
        for (int tile = last; tile >= 0; tile--) {
          boolean begins = tile == last && head == kvHead * group;
          attendBackward(window, head, kvHead, tile, begins ? 0 : 1, member);
        }
      }
    }
  }

  private void attendBackward(int window, int head, int kvHead, int tile, float beta, int member) {
    int begin = tile * TILE;
    int keys = Math.min(context, begin + TILE);
    int rows = keys - begin;
    int columns = input.columns;
    MemorySegment x = input.value;
    MemorySegment dx = input.gradient;
    MemorySegment p = scores[member];
    MemorySegment ds = slopes[member];
    MemorySegment dout = output.gradient;
    long out = outputAt(window, head, begin);
    long q = at(window, head) + input.offset(begin);
    long k = at(window, heads + kvHead);
    long v = at(window, heads + kvHeads + kvHead);
    probabilities(window, head, kvHead, tile, member);
    kernels.gemm(
        true,
        false,
        keys,
        headDim,
        rows,
        1,
        p,
        0,
        context,
        dout,
        out,
        output.columns,
        beta,
        dx,
        v,
        columns);
    kernels.gemm(
        false,
        true,
        rows,
        keys,
        headDim,
        1,
        dout,
        out,
        output.columns,
        x,
        v,
        columns,
        0,
        ds,
        0,
        context);
    for (int row = 0; row < rows; row++) {
      long at = out + output.offset(row);
      float d = kernels.dot(dout, at, output.value, at, headDim);
      slope(p, ds, 4L * row * context, d, begin + row + 1, keys, member);
    }
    kernels.gemm(
        false, false, rows, headDim, keys, scale, ds, 0, context, x, k, columns, 0, dx, q, columns);
    kernels.gemm(
        true, false, keys, headDim, rows, scale, ds, 0, context, x, q, columns, beta, dx, k,
        columns);
  }

  /** Computes ds = p · (ds − d) for the keys that a row sees, and 0 for the others. */
  private void slope(
      MemorySegment p, MemorySegment ds, long offset, float d, int seen, int keys, int member) {
    float[] probability = lines.get(member, 0);
    float[] line = lines.get(member, 1);
    Lines.read(p, offset, probability, seen);
    Lines.read(ds, offset, line, seen);
    for (int i = 0; i < seen; i++) {
      line[i] = probability[i] * (line[i] - d);
    }
    for (int i = seen; i < keys; i++) {
      line[i] = 0;
    }
    Lines.write(line, ds, offset, keys);
  }
}
