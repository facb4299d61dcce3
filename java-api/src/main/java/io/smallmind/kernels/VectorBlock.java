package io.smallmind.kernels;

/**
 * A stored block of one row taken apart: integers and scales, in the order of the columns. Where a
 * format has one scale per block, its F16 bits are {@link #scale}; where groups have scales of
 * their own, these are {@link #scales} in units of it. Likewise minimums, which are subtracted.
 */
final class VectorBlock {
  /** The longest block, in elements. */
  static final int LENGTH = 256;

  /** The integers: not negative for formats of 4 and 6 bits, signed bytes for those of 8. */
  final int[] q = new int[LENGTH];

  /** F16 bits. */
  int scale;

  /** F16 bits. */
  int minimum;

  /** Signed bytes, one per group. */
  final int[] scales = new int[LENGTH / 16];

  /** Signed bytes, one per group. */
  final int[] minimums = new int[LENGTH / 16];
}
