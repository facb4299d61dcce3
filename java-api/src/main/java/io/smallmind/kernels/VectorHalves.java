package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Converts F16 and BF16 in memory to F32 on the heap, and F32 to BF16. */
final class VectorHalves {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final int L = VectorTile.L;

  private VectorHalves() {}

  /** Converts F16. C2 makes vectors of a plain loop here; the Vector API has no conversion. */
  static void fromF16(MemorySegment from, long offset, float[] to, int toOffset, int length) {
    from = OffHeap.of(from);
    for (int i = 0; i < length; i++) {
      to[toOffset + i] = Float.float16ToFloat(from.get(JAVA_SHORT_UNALIGNED, offset + 2L * i));
    }
  }

  /** Converts BF16, the upper half of F32. */
  static void fromBf16(MemorySegment from, long offset, float[] to, int toOffset, int length) {
    from = OffHeap.of(from);
    int whole = length / L * L;
    for (int i = 0; i < whole; i += L) {
      ShortVector bits =
          ShortVector.fromMemorySegment(SHORTS, from, offset + 2L * i, LITTLE_ENDIAN);
      ((IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0))
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(to, toOffset + i);
    }
    for (int i = whole; i < length; i++) {
      int bits = from.get(JAVA_SHORT_UNALIGNED, offset + 2L * i) << 16;
      to[toOffset + i] = Float.intBitsToFloat(bits);
    }
  }

  /** Rounds values as {@link Bf16#round} does. */
  static void roundToBf16(float[] values, int offset, int length) {
    int whole = length / L * L;
    for (int i = offset; i < offset + whole; i += L) {
      FloatVector value = FloatVector.fromArray(F, values, i);
      IntVector bits = value.reinterpretAsInts();
      bits.add(bits.lanewise(VectorOperators.LSHR, 16).and(1).add(0x7FFF))
          .blend(bits.or(0x400000), value.compare(VectorOperators.NE, value).cast(I))
          .and(0xFFFF0000)
          .reinterpretAsFloats()
          .intoArray(values, i);
    }
    Bf16.round(values, offset + whole, length - whole);
  }
}
