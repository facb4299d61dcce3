package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.UnsupportedFormatException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TensorTypeTest {
  /** The numbers of ggml.h and the sizes of the structures of ggml-common.h, written down anew. */
  @ParameterizedTest
  @CsvSource({
    "F32, 0, 1, 4, true",
    "F16, 1, 1, 2, true",
    "Q4_0, 2, 32, 18, true",
    "Q4_1, 3, 32, 20, true",
    "Q5_0, 6, 32, 22, true",
    "Q5_1, 7, 32, 24, true",
    "Q8_0, 8, 32, 34, true",
    "Q8_1, 9, 32, 36, false",
    "Q2_K, 10, 256, 84, true",
    "Q3_K, 11, 256, 110, true",
    "Q4_K, 12, 256, 144, true",
    "Q5_K, 13, 256, 176, true",
    "Q6_K, 14, 256, 210, true",
    "Q8_K, 15, 256, 292, false",
    "IQ2_XXS, 16, 256, 66, false",
    "IQ2_XS, 17, 256, 74, false",
    "IQ3_XXS, 18, 256, 98, false",
    "IQ1_S, 19, 256, 50, false",
    "IQ4_NL, 20, 32, 18, true",
    "IQ3_S, 21, 256, 110, false",
    "IQ2_S, 22, 256, 82, false",
    "IQ4_XS, 23, 256, 136, true",
    "I8, 24, 1, 1, false",
    "I16, 25, 1, 2, false",
    "I32, 26, 1, 4, false",
    "I64, 27, 1, 8, false",
    "F64, 28, 1, 8, false",
    "IQ1_M, 29, 256, 56, false",
    "BF16, 30, 1, 2, true",
    "TQ1_0, 34, 256, 54, false",
    "TQ2_0, 35, 256, 66, false",
    "MXFP4, 39, 32, 17, true"
  })
  void matchesGgml(TensorType type, int id, int blockLength, int blockBytes, boolean hasCodec) {
    assertEquals(id, type.ggufId());
    assertEquals(blockLength, type.blockLength());
    assertEquals(blockBytes, type.blockBytes());
    assertEquals(hasCodec, type.hasCodec());
    assertSame(type, TensorType.byGgufId(id));
  }

  @Test
  void idsAreUniqueAndWithdrawnOnesUnknown() {
    Set<Integer> ids = new HashSet<>();
    for (TensorType type : TensorType.values()) {
      assertTrue(ids.add(type.ggufId()), type.name());
    }
    assertEquals(32, ids.size());
    for (long id : new long[] {4, 5, 31, 32, 33, 36, 37, 38, 40, -1, Long.MIN_VALUE, 1L << 32}) {
      assertNull(TensorType.byGgufId(id), "id " + id);
    }
  }

  @Test
  void floatsAreNotQuantized() {
    List<TensorType> floats = List.of(TensorType.F32, TensorType.F16, TensorType.BF16);
    for (TensorType type : TensorType.values()) {
      if (type.hasCodec()) {
        assertEquals(!floats.contains(type), type.isQuantized(), type.name());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void codecsAreRefusedWhereThereIsNone(TensorType type) {
    if (type.hasCodec()) {
      assertSame(type.codec(), type.codec());
    } else {
      UnsupportedFormatException e = assertThrows(UnsupportedFormatException.class, type::codec);
      assertTrue(e.getMessage().contains(type.name()), e.getMessage());
      assertTrue(e.getMessage().contains("Q4_K"), e.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowBytesCountWholeBlocks(TensorType type) {
    int length = type.blockLength();
    assertEquals(0, type.rowBytes(0));
    assertEquals(type.blockBytes(), type.rowBytes(length));
    assertEquals(1_000_000_007L * type.blockBytes(), type.rowBytes(1_000_000_007L * length));
    assertThrows(BadArgumentException.class, () -> type.rowBytes(-length));
    assertThrows(BadArgumentException.class, () -> type.rowBytes(Long.MIN_VALUE));
    if (length > 1) {
      BadArgumentException e =
          assertThrows(BadArgumentException.class, () -> type.rowBytes(length + 1));
      assertTrue(e.getMessage().contains(type.name()), e.getMessage());
      assertTrue(e.getMessage().contains("" + (length + 1)), e.getMessage());
      assertThrows(BadArgumentException.class, () -> type.rowBytes(length / 2));
    }
  }

  @Test
  void rowBytesMustNotOverflow() {
    assertEquals(Long.MAX_VALUE / 4 * 4, TensorType.F32.rowBytes(Long.MAX_VALUE / 4));
    assertThrows(BadArgumentException.class, () -> TensorType.F32.rowBytes(Long.MAX_VALUE / 4 + 1));
    assertThrows(BadArgumentException.class, () -> TensorType.Q8_0.rowBytes(Long.MAX_VALUE - 31));
  }

  @Test
  void namesAreFoundInAnyCase() {
    for (TensorType type : TensorType.values()) {
      assertSame(type, TensorType.byName(type.name()));
    }
    assertSame(TensorType.Q4_K, TensorType.byName("q4_k"));
    for (String name : new String[] {"", "Q4", "Q4_K ", "q4-k", "float"}) {
      UnsupportedFormatException e =
          assertThrows(UnsupportedFormatException.class, () -> TensorType.byName(name));
      assertTrue(e.getMessage().contains("'" + name + "'"), e.getMessage());
    }
  }

  @Test
  void supportedListsTheTypesWithCodecs() {
    List<String> names = Arrays.asList(TensorType.supported().split(", ", -1));
    assertEquals(16, names.size());
    assertTrue(names.contains("MXFP4"));
    assertFalse(names.contains("Q8_K"));
  }
}
