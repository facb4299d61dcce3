package io.smallmind;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Lifetime;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Weights (rows, columns) of any type with a codec, the right side of {@link
 * Backend#matmul(float[], QuantizedMatrix, float[])}: each row holds the weights of one output.
 *
 * <p>Keeps the encoded blocks off-heap, and for each backend that multiplied with it a copy in that
 * backend's layout. Immutable and thread-safe. Closing frees all of it as soon as no multiplication
 * runs any more.
 */
public final class QuantizedMatrix implements AutoCloseable {
  /** Rows are converted through the heap in pieces of at most this many elements. */
  private static final int PIECE = 1 << 14;

  private final Matrix blocks;
  private final Map<Kernels, PackedWeights> packed = new ConcurrentHashMap<>();
  private final Lifetime lifetime;

  private QuantizedMatrix(Matrix blocks, Runnable free) {
    this.blocks = blocks;
    lifetime =
        new Lifetime(
            "this quantized matrix",
            () -> {
              packed.values().forEach(PackedWeights::close);
              free.run();
            });
  }

  /**
   * Encodes weights.
   *
   * @param weights (rows, columns), row-major
   * @param columns a multiple of the type's block length
   * @throws BadArgumentException if the length does not fit the shape, or the shape the type
   * @throws io.smallmind.error.UnsupportedFormatException if the type has no codec
   */
  public static QuantizedMatrix quantize(
      float[] weights, long rows, long columns, TensorType type) {
    Check.length("weights", weights.length, rows, columns);
    return encode(MemorySegment.ofArray(weights), rows, columns, type);
  }

  /**
   * Encodes weights.
   *
   * @param weights (rows, columns) F32, row-major, on or off the heap, readable by any thread
   * @param columns a multiple of the type's block length
   * @throws BadArgumentException if the size does not fit the shape, or the shape the type
   * @throws io.smallmind.error.UnsupportedFormatException if the type has no codec
   */
  public static QuantizedMatrix quantize(
      MemorySegment weights, long rows, long columns, TensorType type) {
    Check.bytes("weights", weights, rows, columns);
    return encode(weights, rows, columns, type);
  }

  private static QuantizedMatrix encode(
      MemorySegment weights, long rows, long columns, TensorType type) {
    type.codec();
    Memory memory = Memory.allocate(Math.multiplyExact(rows, type.rowBytes(columns)));
    Matrix blocks = Matrix.of(memory.segment(), type, rows, columns);
    try {
      forRows(rows, columns, (begin, end) -> encode(weights, blocks, begin, end));
    } catch (Throwable e) {
      memory.close();
      throw e;
    }
    return new QuantizedMatrix(blocks, memory::close);
  }

  private static void encode(MemorySegment weights, Matrix blocks, long begin, long end) {
    long columns = blocks.columns();
    int piece = piece(blocks);
    float[] values = new float[piece];
    for (long row = begin; row < end; row++) {
      for (long column = 0; column < columns; column += piece) {
        int length = (int) Math.min(piece, columns - column);
        MemorySegment.copy(
            weights, JAVA_FLOAT_UNALIGNED, 4 * (row * columns + column), values, 0, length);
        long offset = blocks.rowOffset(row) + blocks.type().rowBytes(column);
        blocks.type().codec().encode(values, 0, blocks.segment(), offset, length);
      }
    }
  }

  /**
   * Copies blocks that are encoded already.
   *
   * @param blocks (rows, columns) in GGUF's format of the type, without gaps
   * @throws BadArgumentException if the size does not fit the shape, or the shape the type
   * @throws io.smallmind.error.UnsupportedFormatException if the type has no codec
   */
  public static QuantizedMatrix ofBlocks(
      MemorySegment blocks, long rows, long columns, TensorType type) {
    type.codec();
    long bytes = Math.multiplyExact(rows, type.rowBytes(columns));
    if (rows < 0 || blocks.byteSize() != bytes) {
      throw new BadArgumentException(
          "blocks of "
              + rows
              + " × "
              + columns
              + " in "
              + type
              + " take "
              + bytes
              + " bytes, not "
              + blocks.byteSize());
    }
    Memory memory = Memory.allocate(bytes);
    memory.segment().copyFrom(blocks);
    return new QuantizedMatrix(Matrix.of(memory.segment(), type, rows, columns), memory::close);
  }

  /**
   * Takes a tensor of an open model file; the file stays open until this is closed.
   *
   * @throws BadModelFileException if the file has no such tensor
   * @throws io.smallmind.error.UnsupportedFormatException if its type has no codec
   */
  public static QuantizedMatrix load(GgufFile file, String tensor) {
    file.acquire();
    try {
      Matrix blocks = file.matrix(file.tensor(tensor));
      blocks.type().codec();
      return new QuantizedMatrix(blocks, file::release);
    } catch (Throwable e) {
      file.release();
      throw e;
    }
  }

  /**
   * Takes a tensor of a model file.
   *
   * @param gguf path of the file, mapped until this is closed
   * @throws BadModelFileException if the file breaks its format, or has no such tensor
   * @throws io.smallmind.error.UnsupportedFormatException if its type has no codec
   */
  public static QuantizedMatrix load(Path gguf, String tensor) {
    // Closing while the matrix holds the file takes effect when the matrix lets go.
    try (GgufFile file = GgufFile.open(gguf)) {
      return load(file, tensor);
    }
  }

  /** Returns the type of the weights. */
  public TensorType type() {
    return blocks.type();
  }

  /** Returns the number of rows: outputs. */
  public long rows() {
    return blocks.rows();
  }

  /** Returns the length of a row in elements: inputs. */
  public long columns() {
    return blocks.columns();
  }

  /** Returns the size of the encoded weights, in bytes, without the backends' copies. */
  public long byteSize() {
    return Math.multiplyExact(rows(), type().rowBytes(columns()));
  }

  /**
   * Decodes all weights.
   *
   * @return (rows, columns), row-major
   * @throws ClosedException if this was closed
   * @throws BadArgumentException if there are more than fit into an array
   */
  public float[] dequantize() {
    long elements = Math.multiplyExact(rows(), columns());
    if (elements > Integer.MAX_VALUE - 8) {
      throw new BadArgumentException(
          elements + " weights don't fit into an array; pass a segment to dequantize into");
    }
    float[] weights = new float[(int) elements];
    dequantize(MemorySegment.ofArray(weights));
    return weights;
  }

  /**
   * Decodes all weights.
   *
   * @param target receives (rows, columns) F32, row-major, on or off the heap
   * @throws ClosedException if this was closed
   * @throws BadArgumentException if the size does not fit
   */
  public void dequantize(MemorySegment target) {
    Check.bytes("target", target, rows(), columns());
    Check.writable("target", target);
    acquire();
    try {
      forRows(rows(), columns(), (begin, end) -> decode(target, begin, end));
    } finally {
      release();
    }
  }

  private void decode(MemorySegment target, long begin, long end) {
    int piece = piece(blocks);
    float[] values = new float[piece];
    for (long row = begin; row < end; row++) {
      for (long column = 0; column < columns(); column += piece) {
        int length = (int) Math.min(piece, columns() - column);
        long offset = blocks.rowOffset(row) + type().rowBytes(column);
        type().codec().decode(blocks.segment(), offset, values, 0, length);
        MemorySegment.copy(
            values, 0, target, JAVA_FLOAT_UNALIGNED, 4 * (row * columns() + column), length);
      }
    }
  }

  /** Frees the weights and every backend's copy as soon as nobody multiplies with them. */
  @Override
  public void close() {
    lifetime.close();
  }

  @Override
  public String toString() {
    return "quantized " + blocks;
  }

  void acquire() {
    lifetime.acquire();
  }

  void release() {
    lifetime.release();
  }

  /** Returns the weights in a backend's layout, packed on its threads on first use; hold first. */
  PackedWeights packed(Backend backend) {
    PackedWeights known = packed.get(backend.kernels());
    return known != null
        ? known
        : packed.computeIfAbsent(
            backend.kernels(), kernels -> PackedWeights.pack(kernels, backend.team(), blocks));
  }

  private static int piece(Matrix blocks) {
    int block = blocks.type().blockLength();
    return (int) Math.min(blocks.columns(), PIECE / block * block);
  }

  private static void forRows(long rows, long columns, Team.RangeWork work) {
    Team.shared().forRanges(rows, Math.max(1, PIECE / Math.max(1, columns)), work);
  }
}
