package io.smallmind.gguf;

import io.smallmind.tensor.TensorType;
import java.util.List;

/**
 * A tensor's entry in a GGUF file.
 *
 * @param name unique within the file
 * @param type element format
 * @param shape lengths of the dimensions in elements, the fastest-varying first, 1 to 4 of them
 * @param offset of the first byte, from the start of the file
 * @param bytes size of the data
 */
public record GgufTensor(
    String name, TensorType type, List<Long> shape, long offset, long bytes) {

  /** Returns the length of a row in elements: the first dimension. */
  public long columns() {
    return shape.getFirst();
  }

  /** Returns the number of rows: the product of all other dimensions. */
  public long rows() {
    return shape.stream().skip(1).reduce(1L, (a, b) -> a * b);
  }
}
