package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.MemoryPool;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The left side of a matmul: F32 rows, and room for their quantized form in one backend's layout.
 *
 * <p>Filled by {@link Kernels#quantize}. Not thread-safe beyond writing different rows.
 */
public final class Activations implements AutoCloseable {
  private final Matrix source;
  private final long quantizedRowBytes;
  private final MemorySegment quantized;
  private final @Nullable Memory memory;

  /**
   * Allocates room for the quantized form of every row.
   *
   * @param source (rows, columns) F32; not owned
   * @throws BadArgumentException if the source is not F32
   */
  public Activations(Kernels kernels, Matrix source) {
    this.source = checked(source);
    quantizedRowBytes = kernels.activationRowBytes(source.columns());
    memory = Memory.allocate(Math.multiplyExact(quantizedRowBytes, source.rows()));
    quantized = memory.segment();
  }

  /**
   * Takes room for the quantized form of every row from a pool, which must stay open.
   *
   * @param source (rows, columns) F32; not owned
   * @throws BadArgumentException if the source is not F32
   */
  public Activations(Kernels kernels, Matrix source, MemoryPool pool) {
    this.source = checked(source);
    quantizedRowBytes = kernels.activationRowBytes(source.columns());
    memory = null;
    quantized = pool.allocate(Math.multiplyExact(quantizedRowBytes, source.rows()));
  }

  private Activations(
      Matrix source, long quantizedRowBytes, MemorySegment quantized, @Nullable Memory memory) {
    this.source = source;
    this.quantizedRowBytes = quantizedRowBytes;
    this.quantized = quantized;
    this.memory = memory;
  }

  private static Matrix checked(Matrix source) {
    if (source.type() != TensorType.F32) {
      throw new BadArgumentException("activations must be F32, not " + source.type());
    }
    return source;
  }

  /**
   * Returns activations for another source, in this one's memory if it is large enough; this one
   * must not be used any more.
   *
   * @param kernels the backend that this was made for
   * @param source (rows, columns) F32; not owned
   */
  public Activations reuse(Kernels kernels, Matrix source) {
    long rowBytes = kernels.activationRowBytes(source.columns());
    if (source.type() == TensorType.F32
        && Math.multiplyExact(rowBytes, source.rows()) <= quantized.byteSize()) {
      return new Activations(source, rowBytes, quantized, memory);
    }
    close();
    return new Activations(kernels, source);
  }

  /** Returns the F32 values (rows, columns). */
  public Matrix source() {
    return source;
  }

  /** Returns the memory of the quantized rows, aligned to 64 bytes. */
  public MemorySegment quantized() {
    return quantized;
  }

  /** Returns the offset of a quantized row, in bytes. */
  public long quantizedRowOffset(long row) {
    return row * quantizedRowBytes;
  }

  /** Returns the distance of quantized rows, in bytes. */
  public long quantizedRowBytes() {
    return quantizedRowBytes;
  }

  /** Frees the quantized form, unless it is a pool's; the source is its owner's. */
  @Override
  public void close() {
    if (memory != null) {
      memory.close();
    }
  }
}
