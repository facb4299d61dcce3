package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The distance between values and what their blocks decode to, over all kinds of rows. */
class CodecPropertiesTest {
  private static final int LENGTH = 512;

  /** Half of the distance of consecutive F16 numbers: relative, and near zero. */
  private static final double HALF_RELATIVE = 0x1p-11;

  private static final double HALF_SUBNORMAL = 0x1p-25;

  /** How the values of a row are spread. */
  enum Shape {
    GAUSSIAN,
    UNIFORM,
    POSITIVE,
    NEGATIVE,
    FAR_FROM_ZERO,
    SPARSE,
    OUTLIERS,
    UNEVEN_GROUPS
  }

  /** A reproducible row of values. */
  record Row(Shape shape, int exponent, long seed) {
    float[] values() {
      Random random = new Random(seed);
      float[] values = new float[LENGTH];
      for (int i = 0; i < LENGTH; i++) {
        double x =
            switch (shape) {
              case GAUSSIAN -> random.nextGaussian();
              case UNIFORM -> random.nextDouble() * 2 - 1;
              case POSITIVE -> random.nextDouble();
              case NEGATIVE -> -random.nextDouble();
              case FAR_FROM_ZERO -> 3 + random.nextDouble() / 4;
              case SPARSE -> random.nextInt(10) == 0 ? random.nextGaussian() : 0;
              case OUTLIERS -> random.nextGaussian() * (random.nextInt(50) == 0 ? 20 : 1);
              case UNEVEN_GROUPS -> random.nextGaussian() * (1 + i / 16 % 7);
            };
        values[i] = (float) Math.scalb(x, exponent);
      }
      return values;
    }
  }

  /** Rows whose scales span F16, subnormals and what rounds to zero included. */
  @Provide
  Arbitrary<Row> rows() {
    return Combinators.combine(
            Arbitraries.of(Shape.values()),
            Arbitraries.integers().between(-40, 8),
            Arbitraries.longs())
        .as(Row::new);
  }

  @Provide
  Arbitrary<TensorType> stable() {
    return Arbitraries.of(
        TensorType.F32,
        TensorType.F16,
        TensorType.BF16,
        TensorType.Q4_0,
        TensorType.Q5_0,
        TensorType.Q8_0,
        TensorType.MXFP4);
  }

  @Property(tries = 2000)
  void encodingWhatWasDecodedChangesNothing(
      @ForAll("stable") TensorType type, @ForAll("rows") Row row) {
    float[] once = throughBlocks(type, row.values());
    float[] twice = throughBlocks(type, once);
    for (int i = 0; i < LENGTH; i++) {
      // Zeros of either sign are equal.
      assertTrue(once[i] == twice[i], once[i] + " became " + twice[i]);
    }
  }

  @Property(tries = 500)
  void f32KeepsEveryBit(@ForAll int[] bits) {
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = Float.intBitsToFloat(bits[i]);
    }
    float[] decoded = throughBlocks(TensorType.F32, values);
    for (int i = 0; i < bits.length; i++) {
      assertEquals(bits[i], Float.floatToRawIntBits(decoded[i]));
    }
  }

  @Property(tries = 500)
  void bf16RoundsToTheNearestAndKeepsNan(@ForAll float value) {
    float decoded = throughBlocks(TensorType.BF16, new float[] {value})[0];
    int low = Float.floatToRawIntBits(value) & 0xFFFF0000;
    double below = Math.abs((double) value - Float.intBitsToFloat(low));
    double above = Math.abs((double) value - Float.intBitsToFloat(low + 0x10000));
    assertTrue(
        Float.isInfinite(decoded) || Math.abs((double) value - decoded) <= Math.min(below, above));

    int nan = Float.floatToRawIntBits(value) | 0x7F800001;
    assertTrue(Float.isNaN(throughBlocks(TensorType.BF16, new float[] {asFloat(nan)})[0]));
  }

  @Property(tries = 1000)
  void symmetricRoundingIsWithinItsStep(@ForAll("rows") Row row) {
    float[] values = row.values();
    // The side of the extreme value has one step more than the other: there, up to a step is lost.
    checkEveryValue(TensorType.Q4_0, values, (min, max) -> bound(largest(min, max) / 8, 1, 8, 0));
    checkEveryValue(TensorType.Q5_0, values, (min, max) -> bound(largest(min, max) / 16, 1, 16, 0));
    checkEveryValue(
        TensorType.Q8_0, values, (min, max) -> bound(largest(min, max) / 127, 0.5, 127, 0));
  }

  @Property(tries = 1000)
  void affineRoundingIsWithinHalfItsStep(@ForAll("rows") Row row) {
    float[] values = row.values();
    checkEveryValue(
        TensorType.Q4_1, values, (min, max) -> bound((max - min) / 15, 0.5, 15, Math.abs(min)));
    checkEveryValue(
        TensorType.Q5_1, values, (min, max) -> bound((max - min) / 31, 0.5, 31, Math.abs(min)));
  }

  @Property(tries = 1000)
  void searchedScalesLeaveLessThanAStepOnAverage(@ForAll("rows") Row row) {
    float[] values = row.values();
    // Scales (and minimums) are whole multiples of one F16 number: its rounding to a subnormal
    // counts times the largest multiple, times the largest quant.
    checkAverage(TensorType.Q2_K, values, 3, (3 + 1) * 15);
    checkAverage(TensorType.Q4_K, values, 15, (15 + 1) * 63);
    checkAverage(TensorType.Q5_K, values, 31, (31 + 1) * 63);
    checkAverage(TensorType.Q3_K, values, 4, 4 * 32);
    checkAverage(TensorType.Q6_K, values, 32, 32 * 128);
    // The widest gap of the levels is 24 of 127.
    checkAverage(TensorType.IQ4_NL, values, 127 / 24.0, 127);
    checkAverage(TensorType.IQ4_XS, values, 127 / 24.0, 127 * 32);
    // Of 6, the widest gap of the floats is 2; the scale is no F16.
    checkAverage(TensorType.MXFP4, values, 6 / 2.0, 0);
  }

  private interface Bound {
    double of(double min, double max);
  }

  private static double largest(double min, double max) {
    return Math.max(Math.abs(min), Math.abs(max));
  }

  /** A share of the step, and what is lost by keeping the step and the minimum as F16. */
  private static double bound(double step, double share, int quants, double minimum) {
    double stepError = Math.max(step * HALF_RELATIVE, HALF_SUBNORMAL);
    double minimumError = minimum == 0 ? 0 : Math.max(minimum * HALF_RELATIVE, HALF_SUBNORMAL);
    double floatError = 4 * Math.ulp(1f) * (step * quants + minimum);
    return step * share + stepError * quants + minimumError + floatError;
  }

  private static void checkEveryValue(TensorType type, float[] values, Bound bound) {
    float[] decoded = throughBlocks(type, values);
    for (int b = 0; b < values.length; b += type.blockLength()) {
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      for (int i = b; i < b + type.blockLength(); i++) {
        min = Math.min(min, values[i]);
        max = Math.max(max, values[i]);
      }
      double allowed = bound.of(min, max);
      for (int i = b; i < b + type.blockLength(); i++) {
        double error = Math.abs((double) decoded[i] - values[i]);
        assertTrue(error <= allowed, () -> type + " is off by " + error + " > " + allowed);
      }
    }
  }

  private static void checkAverage(TensorType type, float[] values, double steps, int multiples) {
    float[] decoded = throughBlocks(type, values);
    for (int b = 0; b < values.length; b += type.blockLength()) {
      double min = 0;
      double max = 0;
      double sum = 0;
      for (int i = b; i < b + type.blockLength(); i++) {
        min = Math.min(min, values[i]);
        max = Math.max(max, values[i]);
        double error = (double) decoded[i] - values[i];
        sum += error * error;
      }
      boolean affine =
          type == TensorType.Q2_K || type == TensorType.Q4_K || type == TensorType.Q5_K;
      double range = affine ? max - min : largest(min, max);
      double allowed = range / steps + multiples * HALF_SUBNORMAL;
      double error = Math.sqrt(sum / type.blockLength());
      assertTrue(error <= allowed, () -> type + " is off by " + error + " > " + allowed);
    }
  }

  private static float asFloat(int bits) {
    return Float.intBitsToFloat(bits);
  }

  private static float[] throughBlocks(TensorType type, float[] values) {
    float[] decoded = new float[values.length];
    try (Memory memory = Memory.allocate(type.rowBytes(values.length))) {
      MemorySegment blocks = memory.segment();
      type.codec().encode(values, 0, blocks, 0, values.length);
      type.codec().decode(blocks, 0, decoded, 0, values.length);
    }
    return decoded;
  }
}
