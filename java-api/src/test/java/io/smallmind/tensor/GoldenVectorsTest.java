package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every codec against what ggml makes of the same rows. */
class GoldenVectorsTest {
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
}
