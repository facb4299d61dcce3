package io.smallmind.bench.formats;

import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** The file of a model's weights, written from front to back. Not thread-safe. */
final class OnnxData implements AutoCloseable {
  private static final long ALIGNMENT = 4096;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final OnnxModel model;
  private final LlamaTensors tensors;
  private final String name;
  private final FileChannel channel;
  private long end;

  OnnxData(OnnxModel model, LlamaTensors tensors, Path file) throws IOException {
    this.model = model;
    this.tensors = tensors;
    name = String.valueOf(file.getFileName());
    channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
  }

  private long reserve(long bytes) {
    long offset = end;
    end = (end + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return offset;
  }

  /** Writes numbers. */
  void floats(String weights, float[] values, long... shape) throws IOException {
    long bytes = (long) values.length * Float.BYTES;
    long offset = reserve(bytes);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = channel.map(FileChannel.MapMode.READ_WRITE, offset, bytes, arena);
      MemorySegment.copy(values, 0, target, FLOAT, 0, values.length);
    }
    model.weights(weights, OnnxModel.Type.FLOAT, name, offset, shape);
  }

  /** Writes a vector of the model. */
  void vector(String weights, String tensor) throws IOException {
    float[] values = new float[Math.toIntExact(tensors.columns(tensor))];
    tensors.decode(tensor, 0, values);
    floats(weights, values, values.length);
  }

  /** Writes matrices one below the other, decoded. */
  void matrix(String weights, List<String> parts) throws IOException {
    int k = Math.toIntExact(tensors.columns(parts.getFirst()));
    long n = parts.stream().mapToLong(tensors::rows).sum();
    long offset = reserve(n * k * Float.BYTES);
    float[] row = new float[k];
    try (Arena arena = Arena.ofConfined()) {
      long bytes = n * k * Float.BYTES;
      MemorySegment target = channel.map(FileChannel.MapMode.READ_WRITE, offset, bytes, arena);
      long at = 0;
      for (String part : parts) {
        for (long i = 0; i < tensors.rows(part); i++) {
          tensors.decode(part, i, row);
          MemorySegment.copy(row, 0, target, FLOAT, at, k);
          at += (long) k * Float.BYTES;
        }
      }
    }
    model.weights(weights, OnnxModel.Type.FLOAT, name, offset, n, k);
  }

  /**
   * Writes matrices one below the other as integers and steps: Q4_0 with 4 bits if all are, else
   * with 8, rounded anew if need be.
   *
   * @return the bits
   */
  int bits(String weights, List<String> parts) throws IOException {
    boolean four = parts.stream().allMatch(part -> tensors.type(part) == TensorType.Q4_0);
    TensorType type = four ? TensorType.Q4_0 : TensorType.Q8_0;
    int bits = PackedBits.of(type);
    int k = Math.toIntExact(tensors.columns(parts.getFirst()));
    long n = parts.stream().mapToLong(tensors::rows).sum();
    long rowBytes = type.rowBytes(k);
    long bytes = PackedBits.bytes(bits, n * k);
    long offset = reserve(bytes);
    float[] row = new float[k];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blocks = arena.allocate(n * rowBytes);
      long at = 0;
      for (String part : parts) {
        for (long i = 0; i < tensors.rows(part); i++) {
          if (tensors.type(part) == type) {
            blocks.asSlice(at, rowBytes).copyFrom(tensors.blocks(part, i));
          } else {
            tensors.decode(part, i, row);
            type.codec().encode(row, 0, blocks, at, k);
          }
          at += rowBytes;
        }
      }
      MemorySegment target = channel.map(FileChannel.MapMode.READ_WRITE, offset, bytes, arena);
      PackedBits.convert(blocks, type, target);
    }
    OnnxMatmul.bits(model, weights, bits, n, k, name, offset);
    return bits;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
