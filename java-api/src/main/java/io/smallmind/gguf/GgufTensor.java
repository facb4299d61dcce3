package io.smallmind.gguf;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.TensorType;
import java.util.List;

/**
 * A tensor's entry in a GGUF file.
 *
 * @param name unique within the file
 * @param type element format
 * @param shape lengths of the dimensions in elements, the fastest-varying first, 1 to 4 of them,
 *     each at least 1
 * @param offset of the first byte, from the start of the file
 * @param bytes size of the data
 */
public record GgufTensor(String name, TensorType type, List<Long> shape, long offset, long bytes) {
  /** Copies the shape. */
  public GgufTensor {
    shape = List.copyOf(shape);
  }

  /** Returns the length of a row in elements: the first dimension. */
  public long columns() {
    return shape.getFirst();
  }

  /** Returns the number of rows: the product of all other dimensions. */
  public long rows() {
    long rows = 1;
    for (int i = 1; i < shape.size(); i++) {
      rows = Math.multiplyExact(rows, shape.get(i));
    }
    return rows;
  }

  /** Returns the number of elements: the product of all dimensions. */
  public long elements() {
    return Math.multiplyExact(columns(), rows());
  }

  /**
   * Returns the size of a tensor in bytes.
   *
   * @throws ArithmeticException if that, or the number of elements, passes 2^63
   * @throws BadArgumentException if a row is no whole number of blocks
   */
  static long bytes(TensorType type, List<Long> shape) {
    long elements = shape.getFirst();
    long bytes = type.rowBytes(elements);
    for (int i = 1; i < shape.size(); i++) {
      elements = Math.multiplyExact(elements, (long) shape.get(i));
      bytes = Math.multiplyExact(bytes, (long) shape.get(i));
    }
    return bytes;
  }
}
