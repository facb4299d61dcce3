package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every codec against what ggml makes of the same rows. */
class GoldenVectorsTest {
  /** The types that ggml quantizes by plain rounding, and so does this project. */
  private static final Set<TensorType> SAME_BYTES =
      EnumSet.of(
          TensorType.F16,
          TensorType.BF16,
          TensorType.Q4_0,
          TensorType.Q4_1,
          TensorType.Q5_0,
          TensorType.Q5_1,
          TensorType.Q8_0);

  static List<GoldenVectors> all() {
    return GoldenVectors.all();
  }

  @Test
  void everyCodecButF32HasVectors() {
    List<TensorType> types = all().stream().map(GoldenVectors::type).toList();
    for (TensorType type : TensorType.values()) {
      assertEquals(type.hasCodec() && type != TensorType.F32, types.contains(type), type.name());
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void decodesBitForBit(GoldenVectors golden) {
    float[] decoded = new float[golden.decoded().length];
    golden.type().codec().decode(golden.blocks(), 0, decoded, 0, decoded.length);
    for (int i = 0; i < decoded.length; i++) {
      assertEquals(
          Float.floatToRawIntBits(golden.decoded()[i]),
          Float.floatToRawIntBits(decoded[i]),
          "value " + i + ": " + golden.decoded()[i] + " expected, not " + decoded[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void encodesTheSameBytesOrAsWell(GoldenVectors golden) {
    Codec codec = golden.type().codec();
    float[] decoded = new float[golden.input().length];
    try (Memory memory = Memory.allocate(golden.blocks().byteSize())) {
      codec.encode(golden.input(), 0, memory.segment(), 0, golden.input().length);
      if (SAME_BYTES.contains(golden.type())) {
        assertEquals(-1, memory.segment().mismatch(golden.blocks()), "first byte that differs");
      }
      codec.decode(memory.segment(), 0, decoded, 0, decoded.length);
    }
    double rmse = rootMeanSquaredError(decoded, golden.input());
    // The searches find more than ggml's, which weigh large values. 1e-6: the figures are F32.
    assertTrue(rmse <= golden.rmse() * (1 + 1e-6), rmse + " is more than " + golden.rmse());
  }

  @ParameterizedTest
  @MethodSource("all")
  void manifestTellsTheErrorOfItsRows(GoldenVectors golden) {
    double rmse = rootMeanSquaredError(golden.decoded(), golden.input());
    assertEquals(golden.rmse(), rmse, golden.rmse() * 1e-5);
  }

  private static double rootMeanSquaredError(float[] actual, float[] expected) {
    double sum = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = (double) actual[i] - expected[i];
      sum += error * error;
    }
    return Math.sqrt(sum / expected.length);
  }
}
