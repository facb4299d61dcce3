package io.smallmind.tensor;

import static io.smallmind.tensor.LittleEndian.f16;
import static io.smallmind.tensor.LittleEndian.put16;

import java.lang.foreign.MemorySegment;

/**
 * F16: IEEE 754 binary16.
 *
 * <pre>
 * offset  size  content
 * 0       2     value, little-endian, ±65504, steps of 2^-24 below 2^-14
 * </pre>
 *
 * <p>Encoding rounds to nearest, ties to even; what is too large becomes infinite.
 *
 * <p>Source: ggml.h, GGML_TYPE_F16.
 */
final class F16Codec implements Codec {
  static final int BLOCK_LENGTH = 1;
  static final int BLOCK_BYTES = 2;

  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    for (int i = 0; i < length; i++) {
      out[outOffset + i] = f16(memory, offset + (long) i * BLOCK_BYTES);
    }
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    MemorySegment memory = OffHeap.of(blocks);
    for (int i = 0; i < length; i++) {
      put16(memory, offset + (long) i * BLOCK_BYTES, Float.floatToFloat16(in[inOffset + i]));
    }
  }
}
