package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;

/** Another library that multiplies matrices. Not thread-safe. */
public interface MatmulRival extends Rival {
  /** Returns whether it takes part where weights have this type. */
  boolean multiplies(TensorType type);

  /**
   * Returns by how much its results may differ from exact ones, relative to their root mean square,
   * as it rounds activations or weights further; 0 if it computes in F32 with the very weights.
   */
  double noise(TensorType type);

  /**
   * A product y (m, n) = a (m, k) · b.
   *
   * @param type of b
   * @param transposed whether b has the shape (n, k), else (k, n)
   * @param copies of b, multiplied in turn, so that each call reads them from memory
   * @param a file of F32 numbers
   * @param b file of blocks of the type
   */
  record Product(
      TensorType type, long m, long n, long k, boolean transposed, int copies, Path a, Path b) {}

  /**
   * Starts a process and prepares a product.
   *
   * @throws IOException if it does not start, or can't multiply this
   */
  MatmulEngine openMatmul(Product product, int threads) throws IOException;
}
