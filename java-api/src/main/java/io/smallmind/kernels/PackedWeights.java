package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.MemoryPool;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The right side of a matmul: weights (rows, columns) in the layout of one backend. Immutable and
 * thread-safe; valid for the backend that made it, and no other.
 */
public final class PackedWeights implements AutoCloseable {
  private final Kernels kernels;
  private final TensorType type;
  private final long rows;
  private final long columns;
  private final MemorySegment segment;
  private final long rowStride;
  private final boolean packed;
  private final @Nullable Memory memory;

  private PackedWeights(
      Kernels kernels,
      Matrix source,
      MemorySegment segment,
      long rowStride,
      boolean packed,
      @Nullable Memory memory) {
    this.kernels = kernels;
    this.type = source.type();
    this.rows = source.rows();
    this.columns = source.columns();
    this.segment = segment;
    this.rowStride = rowStride;
    this.packed = packed;
    this.memory = memory;
  }

  /**
   * Packs weights with all threads of a team; where the backend reads a type as it is stored, only
   * views it, and the source must stay alive.
   *
   * @throws BadArgumentException if the type has no codec
   */
  public static PackedWeights pack(Kernels kernels, Team team, Matrix source) {
    source.type().codec();
    long bytes = kernels.packedBytes(source.type(), source.rows(), source.columns());
    if (bytes == 0) {
      return stored(kernels, source);
    }
    Memory memory = Memory.allocate(bytes);
    try {
      fill(kernels, team, source, memory.segment());
    } catch (Throwable e) {
      memory.close();
      throw e;
    }
    return new PackedWeights(kernels, source, memory.segment(), 0, true, memory);
  }

  /**
   * Packs weights with all threads of a team into memory of a pool, which must stay open. Where the
   * backend reads a type as it is stored, copies it if large memory is on huge pages, from which it
   * is read faster than from a file's small ones; else only views it.
   *
   * @throws BadArgumentException if the type has no codec
   */
  public static PackedWeights pack(Kernels kernels, Team team, Matrix source, MemoryPool pool) {
    source.type().codec();
    long bytes = kernels.packedBytes(source.type(), source.rows(), source.columns());
    if (bytes == 0) {
      return stored(kernels, Memory.hasHugePages() ? copy(team, source, pool) : source);
    }
    MemorySegment target = pool.allocate(bytes);
    fill(kernels, team, source, target);
    return new PackedWeights(kernels, source, target, 0, true, null);
  }

  private static Matrix copy(Team team, Matrix source, MemoryPool pool) {
    long rowBytes = source.type().rowBytes(source.columns());
    MemorySegment target = pool.allocate(Math.multiplyExact(source.rows(), rowBytes));
    team.forRanges(
        source.rows(),
        1,
        (begin, end) -> {
          for (long row = begin; row < end; row++) {
            MemorySegment.copy(
                source.segment(), source.rowOffset(row), target, row * rowBytes, rowBytes);
          }
        });
    return Matrix.of(target, source.type(), source.rows(), source.columns());
  }

  private static void fill(Kernels kernels, Team team, Matrix source, MemorySegment target) {
    int group = kernels.rowGroup(source.type());
    long groups = (source.rows() + group - 1) / group;
    team.forRanges(
        groups,
        1,
        (begin, end) ->
            kernels.pack(source, target, begin * group, Math.min(source.rows(), end * group)));
  }

  /**
   * Views weights that were packed before, such as in a file, whose memory must stay alive.
   *
   * @param source tells type and shape
   * @param packed {@link Kernels#packedBytes} bytes as {@link Kernels#pack} of this backend makes
   *     them, off-heap and aligned to {@link Memory#ALIGNMENT} bytes
   * @throws BadArgumentException if it has another size or alignment, or is on the heap
   */
  public static PackedWeights packed(Kernels kernels, Matrix source, MemorySegment packed) {
    long bytes = kernels.packedBytes(source.type(), source.rows(), source.columns());
    if (bytes == 0
        || packed.byteSize() != bytes
        || !packed.isNative()
        || packed.address() % Memory.ALIGNMENT != 0) {
      throw new BadArgumentException(
          packed
              + " can't hold a packed "
              + source
              + ": "
              + bytes
              + " bytes are needed, off the heap, at a multiple of "
              + Memory.ALIGNMENT);
    }
    return new PackedWeights(kernels, source, packed, 0, true, null);
  }

  /**
   * Views weights as they are stored, for a backend to multiply in place: slower than packed, in no
   * memory of its own. The source must stay alive.
   *
   * @throws BadArgumentException if the type has no codec
   */
  public static PackedWeights stored(Kernels kernels, Matrix source) {
    source.type().codec();
    return new PackedWeights(kernels, source, source.segment(), source.rowStride(), false, null);
  }

  /** Returns the backend whose layout this is. */
  public Kernels kernels() {
    return kernels;
  }

  /** Returns the type of the weights. */
  public TensorType type() {
    return type;
  }

  /** Returns the number of rows: outputs of a matmul. */
  public long rows() {
    return rows;
  }

  /** Returns the length of a row in elements: inputs of a matmul. */
  public long columns() {
    return columns;
  }

  /** Returns the packed weights, or the stored ones if {@link #isPacked()} is false. */
  public MemorySegment segment() {
    return segment;
  }

  /** Returns the distance of stored rows in bytes; 0 if packed. */
  public long rowStride() {
    return rowStride;
  }

  /** Tells whether these weights are in the backend's own layout, rather than the stored one. */
  public boolean isPacked() {
    return packed;
  }

  /** Returns the memory that this owns, or null if it is of a pool or only views its source. */
  public @Nullable Memory memory() {
    return memory;
  }

  /** Frees the packed weights; a view frees nothing, and a pool's memory is the pool's. */
  @Override
  public void close() {
    if (memory != null) {
      memory.close();
    }
  }
}
