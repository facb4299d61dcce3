package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Values and blocks for the conformance tests, all from seeds. */
final class Data {
  /** Every format that can be computed with. */
  static final List<TensorType> TYPES =
      Arrays.stream(TensorType.values()).filter(TensorType::hasCodec).toList();

  private Data() {}

  /** Returns (rows, columns) values of the normal distribution. */
  static float[][] normal(Random random, int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int j = 0; j < columns; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    return values;
  }

  /** What the blocks of a row of weights hold. */
  enum Fill {
    /** Any bits, with scales around 0.01. */
    RANDOM(-1),
    /** Bits 0, with scales: the least unsigned quants. */
    ZEROS(0),
    /** Bits 1, with scales: the largest unsigned quants, sub-scales and minimums; −1 if signed. */
    ONES(0xFF),
    /** −128 for signed bytes. */
    LEAST_BYTES(0x80),
    /** 127 for signed bytes. */
    LARGEST_BYTES(0x7F),
    /** Any bits, with scales of zero. */
    NO_SCALE(-1);

    final int pattern;

    Fill(int pattern) {
      this.pattern = pattern;
    }
  }

  /** Writes a row of finite weights. */
  static void weights(
      Random random, Fill fill, TensorType type, MemorySegment target, long offset, int columns) {
    if (!type.isQuantized()) {
      for (int i = 0; i < columns; i++) {
        float value = fill == Fill.RANDOM ? (float) random.nextGaussian() : fill.pattern;
        long at = offset + (long) i * type.blockBytes();
        switch (type) {
          case F32 -> target.set(JAVA_FLOAT_UNALIGNED, at, value);
          case F16 -> target.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
          default ->
              target.set(JAVA_SHORT_UNALIGNED, at, (short) (Float.floatToRawIntBits(value) >>> 16));
        }
      }
      return;
    }
    for (int block = 0; block < columns / type.blockLength(); block++) {
      long at = offset + (long) block * type.blockBytes();
      for (int i = 0; i < type.blockBytes(); i++) {
        target.set(JAVA_BYTE, at + i, (byte) (fill.pattern < 0 ? random.nextInt() : fill.pattern));
      }
      if (type == TensorType.MXFP4) { // an exponent
        target.set(JAVA_BYTE, at, (byte) (fill == Fill.NO_SCALE ? 0 : 120 + random.nextInt(3)));
      }
      for (int position : scalePositions(type)) {
        float scale = fill == Fill.NO_SCALE ? 0 : (float) (0.01 * random.nextGaussian());
        target.set(JAVA_SHORT_UNALIGNED, at + position, Float.floatToFloat16(scale));
      }
    }
  }

  /** Returns the offsets of the F16 scales and minimums in a block, in bytes. */
  private static int[] scalePositions(TensorType type) {
    return switch (type) {
      case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS -> new int[] {0};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case Q2_K -> new int[] {80, 82};
      case Q3_K -> new int[] {108};
      case Q6_K -> new int[] {208};
      case MXFP4 -> new int[0];
      default -> throw new AssertionError("where are the scales of " + type + "?");
    };
  }

  /** Writes the identity matrix in Q8_0. */
  static void identity(MemorySegment target, int columns) {
    target.fill((byte) 0);
    long rowBytes = TensorType.Q8_0.rowBytes(columns);
    for (int row = 0; row < columns; row++) {
      long block = row * rowBytes + row / 32 * 34L;
      target.set(JAVA_SHORT_UNALIGNED, block, Float.floatToFloat16(1));
      target.set(JAVA_BYTE, block + 2 + row % 32, (byte) 1);
    }
  }

  /** Returns the activations that weights of a type are multiplied by. */
  static float[] asMultiplied(TensorType type, float[] x) {
    return type.isQuantized()
        ? quantizedAndBack(x)
        : type == TensorType.BF16 ? throughCodec(type, x) : x;
  }

  private static float[] throughCodec(TensorType type, float[] x) {
    float[] result = new float[x.length];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stored = arena.allocate(type.rowBytes(x.length));
      type.codec().encode(x, 0, stored, 0, x.length);
      type.codec().decode(stored, 0, result, 0, x.length);
    }
    return result;
  }

  /**
   * Returns the F32 values that the quantized form of activations stands for, straight from the
   * text of {@link Kernels#quantize}.
   */
  static float[] quantizedAndBack(float[] x) {
    float[] result = new float[x.length];
    for (int begin = 0; begin < x.length; begin += Kernels.ACTIVATION_BLOCK) {
      int end = Math.min(x.length, begin + Kernels.ACTIVATION_BLOCK);
      float largest = 0;
      boolean finite = true;
      for (int i = begin; i < end; i++) {
        finite &= Float.isFinite(x[i]);
        largest = Math.max(largest, Math.abs(x[i]));
      }
      for (int i = begin; i < end; i++) {
        if (!finite) {
          result[i] = Float.NaN;
        } else if (largest >= Kernels.ACTIVATION_TINY) {
          float factor = 127 / largest;
          float scale = largest / 127;
          result[i] = scale * (float) Math.rint(x[i] * factor);
        }
      }
    }
    return result;
  }
}
