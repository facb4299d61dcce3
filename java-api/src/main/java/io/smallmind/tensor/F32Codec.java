package io.smallmind.tensor;

import java.lang.foreign.MemorySegment;

/**
 * F32: IEEE 754 binary32, stored as it is.
 *
 * <pre>
 * offset  size  content
 * 0       4     value, little-endian
 * </pre>
 *
 * <p>Source: ggml.h, GGML_TYPE_F32.
 */
final class F32Codec implements Codec {
  static final int BLOCK_LENGTH = 1;
  static final int BLOCK_BYTES = 4;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment.copy(OffHeap.of(blocks), LittleEndian.FLOAT, offset, out, outOffset, length);
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment.copy(in, inOffset, OffHeap.of(blocks), LittleEndian.FLOAT, offset, length);
  }
}
