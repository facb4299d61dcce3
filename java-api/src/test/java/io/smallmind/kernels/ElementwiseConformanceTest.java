package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The functions of one and two vectors, of every implementation, against double precision. */
class ElementwiseConformanceTest extends KernelConformance {
  private static final int[] LENGTHS = {
    0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 67, 1023, 2051
  };

  private static float[] normal(int length, int seed) {
    return Data.normal(new Random(seed), 1, length)[0];
  }

  @TestFactory
  Stream<DynamicTest> binary() {
    return onEveryBackend(
        kernels -> {
          for (BinaryOp op : BinaryOp.values()) {
            for (int length : LENGTHS) {
              for (int shift = 0; shift < 3; shift++) {
                binary(kernels, op, length, shift);
              }
            }
          }
        });
  }

  private void binary(Kernels kernels, BinaryOp op, int length, int shift) {
    float[] x = normal(length, 1);
    float[] y = normal(length, 2);
    String what = kernels.name() + " " + op + " of " + length + " shifted by " + shift;
    try (Guarded a = Guarded.floats(length, shift);
        Guarded b = Guarded.floats(length, 2 * shift);
        Guarded out = Guarded.floats(length, shift == 2 ? 1 : 0)) {
      a.set(x);
      b.set(y);
      binary(kernels, op, a, b, out, length);
      binary(kernels, op, a, b, a, length);
      for (int i = 0; i < length; i++) {
        float expected = op == BinaryOp.ADD ? x[i] + y[i] : x[i] * y[i];
        assertEquals(expected, out.get(i), what);
        assertEquals(expected, a.get(i), what + " in place");
        assertEquals(y[i], b.get(i), what);
      }
      a.set(x);
      binary(kernels, op, a, b, b, length);
      for (int i = 0; i < length; i++) {
        assertEquals(out.get(i), b.get(i), what + " in the second's place");
      }
      a.check(what);
      b.check(what);
      out.check(what);
    }
    count(kernels);
  }

  private static void binary(
      Kernels kernels, BinaryOp op, Guarded a, Guarded b, Guarded out, int length) {
    kernels.binary(
        op,
        a.withZones(),
        a.offset(),
        b.withZones(),
        b.offset(),
        out.withZones(),
        out.offset(),
        length);
  }

  @TestFactory
  Stream<DynamicTest> scale() {
    return onEveryBackend(
        kernels -> {
          for (int length : LENGTHS) {
            for (int shift = 0; shift < 3; shift++) {
              float[] x = normal(length, 3);
              String what = kernels.name() + " scale of " + length + " shifted by " + shift;
              try (Guarded in = Guarded.floats(length, shift);
                  Guarded out = Guarded.floats(length, 2 - shift)) {
                in.set(x);
                kernels.scale(
                    -1.7f, in.withZones(), in.offset(), out.withZones(), out.offset(), length);
                kernels.scale(
                    -1.7f, in.withZones(), in.offset(), in.withZones(), in.offset(), length);
                for (int i = 0; i < length; i++) {
                  assertEquals(-1.7f * x[i], out.get(i), what);
                  assertEquals(-1.7f * x[i], in.get(i), what + " in place");
                }
                in.check(what);
                out.check(what);
              }
              count(kernels);
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> dot() {
    return onEveryBackend(
        kernels -> {
          for (int length : LENGTHS) {
            for (int shift = 0; shift < 3; shift++) {
              float[] x = normal(length, 4);
              float[] y = normal(length, 5);
              double sum = 0;
              double magnitude = 0;
              for (int i = 0; i < length; i++) {
                sum += (double) x[i] * y[i];
                magnitude += Math.abs((double) x[i] * y[i]);
              }
              try (Guarded a = Guarded.floats(length, shift);
                  Guarded b = Guarded.floats(length, 0)) {
                a.set(x);
                b.set(y);
                float actual =
                    kernels.dot(a.withZones(), a.offset(), b.withZones(), b.offset(), length);
                assertClose(
                    sum, actual, magnitude * sumBound(length), kernels.name() + " dot " + length);
              }
              count(kernels);
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> gateAsFunctionAndProduct() {
    return onEveryBackend(
        kernels -> {
          for (UnaryOp op : UnaryOp.values()) {
            for (int columns : LENGTHS) {
              gate(kernels, op, columns, 0, columns);
            }
            gate(kernels, op, 100, 32, 77);
          }
        });
  }

  private void gate(Kernels kernels, UnaryOp op, int columns, int begin, int end) {
    int rows = 4;
    String what = kernels.name() + " gate " + op + " of columns " + begin + " to " + end;
    try (Guarded gate = Guarded.floats(rows * (columns + 3), 0);
        Guarded up = Guarded.floats(rows * columns, 0);
        Guarded expected = Guarded.floats(rows * (columns + 3), 0)) {
      gate.set(normal(rows * (columns + 3), 7));
      up.set(normal(rows * columns, 8));
      expected.set(normal(rows * (columns + 3), 7));
      Matrix x = gate.matrix(rows, columns, 3);
      Matrix y = up.matrix(rows, columns, 0);
      MemorySegment values = expected.segment();
      for (int row = 1; row < rows - 1; row++) {
        long at = x.rowOffset(row) + 4L * begin;
        kernels.unary(op, values, at, values, at, end - begin);
        long upAt = y.rowOffset(row) + 4L * begin;
        kernels.binary(BinaryOp.MULTIPLY, values, at, up.segment(), upAt, values, at, end - begin);
      }
      kernels.gate(op, x, y, 1, rows - 1, begin, end);
      for (int i = 0; i < rows * (columns + 3); i++) {
        assertEquals(
            Float.floatToRawIntBits(expected.get(i)),
            Float.floatToRawIntBits(gate.get(i)),
            what + ", value " + i);
      }
      gate.check(what);
      up.check(what);
    }
    count(kernels);
  }

  @TestFactory
  Stream<DynamicTest> unaryOfEveryLength() {
    return onEveryBackend(
        kernels -> {
          for (UnaryOp op : UnaryOp.values()) {
            for (int length : LENGTHS) {
              for (int shift = 0; shift < 3; shift++) {
                unary(kernels, op, normal(length, 6), shift);
              }
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> unaryOfValuesOfEveryMagnitude() {
    float[] values = magnitudes();
    return onEveryBackend(
        kernels -> {
          for (UnaryOp op : UnaryOp.values()) {
            unary(kernels, op, values, 0);
          }
        });
  }

  /** Special values, and both signs of a walk from the smallest to the largest float. */
  private static float[] magnitudes() {
    List<Float> values = new ArrayList<>();
    for (float special :
        new float[] {
          0,
          1,
          2,
          3,
          5,
          10,
          87,
          88,
          88.5f,
          89,
          100,
          104,
          1e3f,
          1e10f,
          1e30f,
          0.1f,
          0.25f,
          0.5f,
          0.625f,
          1e-3f,
          1e-7f,
          1e-30f,
          Float.MIN_VALUE,
          Float.MIN_NORMAL,
          Float.MAX_VALUE,
          0x1p-130f,
          Float.POSITIVE_INFINITY,
          Float.NaN
        }) {
      values.add(special);
      values.add(-special);
    }
    for (int bits = 0; bits < 0x7F800000 - 100_003; bits += 100_003) {
      values.add(Float.intBitsToFloat(bits));
      values.add(-Float.intBitsToFloat(bits));
    }
    for (float x = 1e-3f; x < 110; x *= 1.0037f) {
      values.add(x);
      values.add(-x);
    }
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return array;
  }

  private void unary(Kernels kernels, UnaryOp op, float[] x, int shift) {
    String what = kernels.name() + " " + op + " of " + x.length + " shifted by " + shift;
    try (Guarded in = Guarded.floats(x.length, shift);
        Guarded out = Guarded.floats(x.length, 2 - shift)) {
      in.set(x);
      kernels.unary(op, in.withZones(), in.offset(), out.withZones(), out.offset(), x.length);
      kernels.unary(op, in.withZones(), in.offset(), in.withZones(), in.offset(), x.length);
      for (int i = 0; i < x.length; i++) {
        double exact = ExactFunctions.apply(op, x[i]);
        double tolerance =
            op == UnaryOp.RELU ? 0 : Math.max(4 * Math.ulp((float) Math.abs(exact)), 1e-7);
        assertClose(exact, out.get(i), tolerance, what + ", x = " + x[i]);
        assertTrue(
            Float.compare(out.get(i), in.get(i)) == 0
                || Math.abs(out.get(i) - in.get(i)) <= 2 * tolerance,
            what + " in place, x = " + x[i]);
      }
      in.check(what);
      out.check(what);
    }
    count(kernels);
  }
}
