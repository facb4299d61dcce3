package io.smallmind.kernels;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Values in Q8_0, as attention stores them, to floats with the bits of the codec's. */
final class VectorDecoder {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;

  /** There are no vectors of four bytes: of eight, the second half comes as a second part. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, S.vectorBitSize() / 4)));

  private static final int BLOCK = 32; // of Q8_0
  private static final int BLOCK_BYTES = 2 + BLOCK;

  private VectorDecoder() {}

  /** Decodes blocks of Q8_0. */
  static void q8(byte[] from, float[] to, int toOffset, int length) {
    for (int i = 0, block = 0; i < length; i += BLOCK, block += BLOCK_BYTES) {
      short half = (short) ((from[block] & 0xFF) | from[block + 1] << 8);
      float scale = Float.float16ToFloat(half);
      for (int j = 0; j < BLOCK; j += BYTES.length()) {
        ByteVector bytes = ByteVector.fromArray(BYTES, from, block + 2 + j);
        FloatVector first = (FloatVector) bytes.convertShape(VectorOperators.B2F, S, 0);
        first.mul(scale).intoArray(to, toOffset + i + j);
        if (BYTES.length() > L) {
          FloatVector second = (FloatVector) bytes.convertShape(VectorOperators.B2F, S, 1);
          second.mul(scale).intoArray(to, toOffset + i + j + L);
        }
      }
    }
  }
}
