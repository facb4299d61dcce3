package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GgufMetadataTest {
  private static final byte[] INVALID_UTF8 = {(byte) 0xE2, (byte) 0x96};

  private final GgufMetadata metadata =
      Bytes.parse(
              Bytes.write(
                  new GgufWriter()
                      .put("name", "Büchner")
                      .put("count", 0xFFFFFFFFL)
                      .put("epsilon", 1e-6f)
                      .put("causal", true)
                      .put("negative", GgufValue.integer(GgufType.INT8, -3))
                      .put("huge", GgufValue.integer(GgufType.UINT64, -1))
                      .put("bytes", GgufValue.string(INVALID_UTF8))
                      .put("tokens", GgufValue.byteStrings(List.of(INVALID_UTF8, new byte[0])))
                      .put("types", GgufValue.int32s(1, -6))
                      .put("offsets", GgufValue.integers(GgufType.UINT64, 5, -1))
                      .put("scores", GgufValue.float32s(0.5f, Float.NEGATIVE_INFINITY))
                      .put("doubles", GgufValue.float64s(Math.PI))
                      .put("pattern", GgufValue.bools(true, false))))
          .metadata();

  @Test
  void gettersReturnWhatIsThere() {
    assertEquals("Büchner", metadata.string("name"));
    assertEquals(0xFFFFFFFFL, metadata.integer("count"));
    assertEquals((double) 1e-6f, metadata.real("epsilon"));
    assertTrue(metadata.bool("causal"));
    assertEquals(-3, metadata.integer("negative"));
    assertEquals(List.of("\uFFFD", ""), metadata.strings("tokens"));
    assertArrayEquals(INVALID_UTF8, metadata.bytes("tokens", 0));
    assertArrayEquals(INVALID_UTF8, metadata.bytes("bytes"));
    assertArrayEquals(new long[] {1, -6}, metadata.integers("types"));
    assertArrayEquals(new double[] {0.5, Double.NEGATIVE_INFINITY}, metadata.reals("scores"));
    assertArrayEquals(new double[] {Math.PI}, metadata.reals("doubles"));
    assertArrayEquals(new boolean[] {true, false}, metadata.bools("pattern"));
    assertEquals(2, metadata.length("tokens"));
    assertEquals(GgufType.UINT64, metadata.type("huge"));
    assertEquals("18446744073709551615", metadata.value("huge").toString());
    assertEquals(GgufType.BOOL, metadata.value("pattern").elementType());
    assertTrue(metadata.has("name"));
    assertNull(metadata.find("nome"));
  }

  @Test
  void stringsAreHandedOutByteForByteAndReadOnly() {
    List<ByteBuffer> strings = new ArrayList<>();
    metadata.forEachString(
        "tokens",
        string -> {
          assertTrue(string.isReadOnly());
          strings.add(ByteBuffer.allocate(string.remaining()).put(string).flip());
        });
    assertEquals(List.of(ByteBuffer.wrap(INVALID_UTF8), ByteBuffer.allocate(0)), strings);
    assertMessage(
        "is of type ARRAY of INT32, not an array of strings",
        () -> metadata.forEachString("types", string -> strings.clear()));
    assertMessage(
        "is of type STRING, not an array of strings",
        () -> metadata.forEachString("name", string -> strings.clear()));
    assertEquals(2, strings.size());
  }

  @Test
  void integersServeAsReals() {
    assertEquals(4294967295.0, metadata.real("count"));
    assertEquals(0x1p64, metadata.real("huge"));
    assertArrayEquals(new double[] {5, 0x1p64}, metadata.reals("offsets"));
  }

  @Test
  void defaultsStandInForAbsentKeysOnly() {
    assertEquals("x", metadata.string("absent", "x"));
    assertEquals(7, metadata.integer("absent", 7));
    assertEquals(7, metadata.integer("absent", 1, 2, 7));
    assertEquals(7.5, metadata.real("absent", 7.5));
    assertFalse(metadata.bool("absent", false));
    assertEquals(List.of(), metadata.strings("absent", List.of()));
    assertArrayEquals(new long[] {9}, metadata.integers("absent", new long[] {9}));
    assertArrayEquals(new double[] {9}, metadata.reals("absent", new double[] {9}));
    assertArrayEquals(new boolean[0], metadata.bools("absent", new boolean[0]));
    assertEquals("Büchner", metadata.string("name", "x"));
    assertMessage("is of type STRING, not an integer", () -> metadata.integer("name", 7));
    assertMessage("is of type UINT32, not a bool", () -> metadata.bool("count", false));
    assertMessage("not an array of strings", () -> metadata.strings("types", List.of()));
  }

  @Test
  void failuresNameFileKeyOffsetAndValue() {
    assertMessage(
        "memory.gguf: no metadata key 'nome' (did you mean 'name'?)",
        () -> metadata.string("nome"));
    assertMessage(
        "memory.gguf: metadata key 'name' at byte 24: 'Büchner' is of type STRING, not a number",
        () -> metadata.real("name"));
    assertMessage("-3 is not from 1 to 100", () -> metadata.integer("negative", 1, 100));
    assertMessage("18446744073709551615 is 2^63 or more", () -> metadata.integer("huge"));
    assertMessage("18446744073709551615 is 2^63 or more", () -> metadata.integers("offsets"));
    assertMessage("array of 2 has no element 2", () -> metadata.bytes("tokens", 2));
    assertMessage("is of type ARRAY of INT32, not a string", () -> metadata.string("types"));
    assertMessage("is of type UINT32, not an array of values", () -> metadata.length("count"));
    assertMessage("is of type ARRAY of FLOAT32", () -> metadata.integers("scores"));
    assertMessage("is of type ARRAY of BOOL", () -> metadata.reals("pattern"));
  }

  @Test
  void keysAndArraysAreUnmodifiable() {
    assertThrows(UnsupportedOperationException.class, () -> metadata.keys().remove("name"));
    assertThrows(UnsupportedOperationException.class, () -> metadata.strings("tokens").clear());
    metadata.bytes("bytes")[0] = 0;
    assertArrayEquals(INVALID_UTF8, metadata.bytes("bytes"));
  }

  @Test
  void valuesAreChecked() {
    assertThrows(BadArgumentException.class, () -> GgufValue.uint32(-1));
    assertThrows(BadArgumentException.class, () -> GgufValue.uint32(1L << 32));
    assertThrows(BadArgumentException.class, () -> GgufValue.integer(GgufType.INT8, 128));
    assertThrows(BadArgumentException.class, () -> GgufValue.integer(GgufType.FLOAT32, 1));
    assertThrows(BadArgumentException.class, () -> GgufValue.integers(GgufType.BOOL));
    assertThrows(BadArgumentException.class, () -> GgufValue.integers(GgufType.UINT16, 65_536));
    assertThrows(BadArgumentException.class, () -> GgufValue.string("\uD800"));
    assertThrows(BadArgumentException.class, () -> GgufValue.uint32(1).realAt(0));
    assertThrows(BadArgumentException.class, () -> GgufValue.uint32(1).integerAt(1));
    assertThrows(BadArgumentException.class, () -> GgufValue.int32s().integerAt(0));
  }

  @Test
  void longValuesAreCutWhenShown() {
    assertEquals("[1, 2]", GgufValue.int32s(1, 2).toString());
    assertEquals(
        "[0, 0, 0, 0, 0, 0, 0, 0, … 1000 in all]", GgufValue.int32s(new int[1000]).toString());
    String text = GgufValue.string("é".repeat(1000)).toString();
    assertEquals("'" + "é".repeat(Names.SHOWN_CHARACTERS) + "…'", text);
  }

  private static void assertMessage(String part, Executable action) {
    String message = assertThrows(BadModelFileException.class, action).getMessage();
    assertTrue(message.contains(part), message);
  }
}
