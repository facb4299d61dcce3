package io.smallmind.tensor;

import java.lang.foreign.MemorySegment;

/** In work. */
final class Q80Codec implements Codec {
  @Override
  public void decode(MemorySegment blocks, long offset, float[] out, int outOffset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void encode(float[] in, int inOffset, MemorySegment blocks, long offset, int length) {
    throw new UnsupportedOperationException();
  }
}
