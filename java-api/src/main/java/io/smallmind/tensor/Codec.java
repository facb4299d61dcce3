package io.smallmind.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Converts between F32 and one storage format; the plain Java here is the specification of that
 * format, bit-exact with ggml's decoder.
 *
 * <p>Implementations hold no state and may be used from any thread. They trust their callers:
 * lengths are multiples of the block length and lie inside the arrays and segments.
 */
public interface Codec {
  /**
   * Decodes consecutive blocks.
   *
   * @param blocks off-heap memory that holds the encoded blocks, in any alignment
   * @param offset of the first block, in bytes
   * @param out receives the values
   * @param outOffset of the first value, in elements
   * @param length number of values: a multiple of the block length
   */
  void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length);

  /**
   * Encodes values as consecutive blocks. Values that aren't finite give unspecified values in
   * their own block, never an exception.
   *
   * @param in holds the values
   * @param inOffset of the first value, in elements
   * @param blocks off-heap memory that receives the encoded blocks, in any alignment
   * @param offset of the first block, in bytes
   * @param length number of values: a multiple of the block length
   */
  void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length);
}
