package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * The left side of a matmul: F32 rows, and room for their quantized form in one backend's layout.
 *
 * <p>Filled by {@link Kernels#quantize}. Not thread-safe beyond writing different rows.
 */
public final class Activations implements AutoCloseable {
  private final Matrix source;
  private final Memory memory;
  private final long quantizedRowBytes;

  /**
   * Allocates room for the quantized form of every row.
   *
   * @param source (rows, columns) F32; not owned
   * @throws BadArgumentException if the source is not F32
   */
  public Activations(Kernels kernels, Matrix source) {
    if (source.type() != TensorType.F32) {
      throw new BadArgumentException("activations must be F32, not " + source.type());
    }
    this.source = source;
    quantizedRowBytes = kernels.activationRowBytes(source.columns());
    memory = Memory.allocate(Math.multiplyExact(quantizedRowBytes, source.rows()));
  }

  private Activations(Matrix source, long quantizedRowBytes, Memory memory) {
    this.source = source;
    this.quantizedRowBytes = quantizedRowBytes;
    this.memory = memory;
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
        && Math.multiplyExact(rowBytes, source.rows()) <= memory.segment().byteSize()) {
      return new Activations(source, rowBytes, memory);
    }
    memory.close();
    return new Activations(kernels, source);
  }

  /** Returns the F32 values (rows, columns). */
  public Matrix source() {
    return source;
  }

  /** Returns the memory of the quantized rows, aligned to 64 bytes. */
  public MemorySegment quantized() {
    return memory.segment();
  }

  /** Returns the offset of a quantized row, in bytes. */
  public long quantizedRowOffset(long row) {
    return row * quantizedRowBytes;
  }

  /** Returns the distance of quantized rows, in bytes. */
  public long quantizedRowBytes() {
    return quantizedRowBytes;
  }

  /** Frees the quantized form; the source is its owner's. */
  @Override
  public void close() {
    memory.close();
  }
}
