package io.smallmind.training;

import io.smallmind.error.OutOfMemoryException;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Operations in the order they are computed, over buffers that are allocated while recording: a
 * network that can be run forward, and backward for the gradients, any number of times.
 *
 * <p>Operations are recorded in sections, such as the layers of a model. Backward, one section's
 * gradients are done with before the next one's begin, so sections share the memory of gradients
 * within them. With recomputation they share that of values too, and a section runs forward again
 * before it runs backward.
 */
final class Tape {
  private static final class Section {
    final List<Op> ops = new ArrayList<>();
    final List<Tensor> tensors = new ArrayList<>();
  }

  final Kernels kernels;
  final int members;
  private final Arena arena;
  private final boolean recomputes;
  private final List<Section> sections = new ArrayList<>();
  private final Pool values = new Pool();
  private final Pool gradients = new Pool();
  private int dropouts;
  private long seed;
  private boolean training;

  /** Buffers that every section uses anew, in the same order. */
  private final class Pool {
    private final List<MemorySegment> buffers = new ArrayList<>();
    private int next;

    MemorySegment take(long length) {
      if (next == buffers.size()) {
        buffers.add(allocate(length));
      } else if (buffers.get(next).byteSize() < 4 * length) {
        buffers.set(next, allocate(length));
      }
      return buffers.get(next++).asSlice(0, 4 * length);
    }
  }

  Tape(Kernels kernels, int members, Arena arena, boolean recomputes) {
    this.kernels = kernels;
    this.members = members;
    this.arena = arena;
    this.recomputes = recomputes;
    section();
  }

  /** Begins a section. */
  void section() {
    sections.add(new Section());
    values.next = 0;
  }

  // ---- Memory

  static MemorySegment allocate(Arena arena, long floats) {
    try {
      return arena.allocate(4 * floats, Memory.ALIGNMENT);
    } catch (OutOfMemoryError e) {
      throw new OutOfMemoryException(
          "no "
              + 4 * floats
              + " bytes of native memory to train with; use a smaller batch or model",
          e);
    }
  }

  MemorySegment allocate(long floats) {
    return allocate(arena, floats);
  }

  MemorySegment[] allocatePerMember(long floats) {
    MemorySegment[] all = new MemorySegment[members];
    for (int member = 0; member < members; member++) {
      all[member] = allocate(floats);
    }
    return all;
  }

  /** Makes a tensor that is needed in its own section only. */
  Tensor tensor(int rows, int columns) {
    long length = (long) rows * columns;
    return add(new Tensor(rows, columns, recomputes ? values.take(length) : allocate(length)));
  }

  /** Makes a tensor that later sections need. */
  Tensor kept(int rows, int columns) {
    return add(new Tensor(rows, columns, allocate((long) rows * columns)));
  }

  private Tensor add(Tensor tensor) {
    sections.getLast().tensors.add(tensor);
    return tensor;
  }

  // ---- Recording

  private Tensor record(Op op) {
    sections.getLast().ops.add(op);
    return op.output;
  }

  Tensor embedding(Parameter table, @Nullable Parameter positions, int[] tokens, int context) {
    Tensor out = kept(tokens.length, table.columns());
    return record(new EmbeddingOp(this, table, positions, tokens, context, out));
  }

  Tensor matmul(Tensor x, Parameter weight, @Nullable Parameter bias) {
    return record(new MatmulOp(this, x, weight, bias, tensor(x.rows, weight.rows())));
  }

  /** Adds scale · x · Aᵀ · Bᵀ to what the last matmul of x gave. */
  void lora(Tensor x, Parameter a, Parameter b, float scale, Tensor y) {
    record(new LoraOp(this, x, a, b, scale, tensor(x.rows, a.rows()), y));
  }

  Tensor layerNorm(Tensor x, Parameter weight, Parameter bias, float epsilon) {
    return record(new LayerNormOp(this, x, weight, bias, epsilon, tensor(x.rows, x.columns)));
  }

  Tensor rmsNorm(Tensor x, Parameter weight, float epsilon) {
    return record(new RmsNormOp(this, x, weight, epsilon, tensor(x.rows, x.columns)));
  }

  Tensor rope(Tensor x, RopePairing pairing, int heads, int headDim, int context, double base) {
    return record(new RopeOp(this, x, pairing, heads, headDim, context, base));
  }

  Tensor attention(Tensor x, int context, int heads, int kvHeads, int headDim) {
    Tensor out = tensor(x.rows, heads * headDim);
    return record(new AttentionOp(this, x, context, heads, kvHeads, headDim, out));
  }

  Tensor gelu(Tensor x) {
    return record(new GeluOp(this, x, tensor(x.rows, x.columns)));
  }

  Tensor swiGlu(Tensor x) {
    return record(new SwiGluOp(this, x, tensor(x.rows, x.columns / 2)));
  }

  /**
   * Lets a share of the values fall.
   *
   * @param lasts whether later sections need the result
   */
  Tensor dropout(Tensor x, double share, boolean lasts) {
    if (share == 0) {
      return x;
    }
    Tensor y = lasts ? kept(x.rows, x.columns) : tensor(x.rows, x.columns);
    return record(new DropoutOp(this, dropouts++, share, x, y));
  }

  /**
   * Adds a block's result to the stream.
   *
   * @param lasts whether later sections need the sum
   */
  Tensor sum(Tensor stream, Tensor b, boolean lasts) {
    Tensor out = lasts ? kept(b.rows, b.columns) : tensor(b.rows, b.columns);
    if (stream.gradient == MemorySegment.NULL) {
      stream.gradient = allocate(stream.length());
    }
    out.gradient = stream.gradient;
    b.gradient = stream.gradient;
    return record(new SumOp(this, stream, b, out));
  }

  CrossEntropyOp crossEntropy(Tensor logits, int[] targets, float weight) {
    CrossEntropyOp op = new CrossEntropyOp(this, logits, targets, weight);
    record(op);
    return op;
  }

  /** Ends the recording: gives every tensor its gradient's memory. */
  void seal() {
    for (Section section : sections) {
      gradients.next = 0;
      for (Tensor tensor : section.tensors) {
        if (tensor.gradient == MemorySegment.NULL) {
          tensor.gradient = gradients.take(tensor.length());
        }
      }
    }
    for (Section section : sections.reversed()) {
      Set<MemorySegment> written = Collections.newSetFromMap(new IdentityHashMap<>());
      for (Op op : section.ops.reversed()) {
        if (op.input != op.output && !(op instanceof SumOp)) {
          op.adds = !written.add(op.input.gradient) || isStreamWrittenLater(section, op);
        }
        op.prepare();
      }
    }
  }

  /** Tells whether a later section has written to the gradient that an operation writes to. */
  private boolean isStreamWrittenLater(Section section, Op op) {
    return sections.subList(sections.indexOf(section) + 1, sections.size()).stream()
        .flatMap(later -> later.ops.stream())
        .anyMatch(later -> later.input.gradient == op.input.gradient && !(later instanceof SumOp));
  }

  // ---- Running

  /**
   * Says what the next passes are.
   *
   * @param seed of what falls by dropout
   * @param training whether anything falls at all
   */
  void begin(long seed, boolean training) {
    this.seed = seed;
    this.training = training;
  }

  long seed() {
    return seed;
  }

  boolean isTraining() {
    return training;
  }

  /** Runs all operations; every member calls it, and a barrier stands at its end. */
  void forward(Team team, int member) {
    for (int i = 0; i < sections.size(); i++) {
      forward(sections.get(i), team, member);
    }
  }

  private static void forward(Section section, Team team, int member) {
    List<Op> ops = section.ops;
    for (int i = 0; i < ops.size(); i++) {
      ops.get(i).forward(team, member);
      team.barrier();
    }
  }

  /** Runs all gradients; the forward pass must have ended. */
  void backward(Team team, int member) {
    for (int i = sections.size() - 1; i >= 0; i--) {
      Section section = sections.get(i);
      if (recomputes && i < sections.size() - 1) {
        forward(section, team, member);
      }
      for (int j = section.ops.size() - 1; j >= 0; j--) {
        section.ops.get(j).backward(team, member);
        team.barrier();
      }
    }
  }
}
