package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.SmallMindException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {
  /** Matches what every message about a file's content must have: file, field, offset, remedy. */
  private static final String MESSAGE = "(?s).*\\.gguf: .+ at byte \\d+: .+[;:] .+";

  @Test
  void everyMalformedFileGetsItsVerdict() throws IOException {
    Path folder = TestData.path("bad-gguf");
    JsonObject manifest =
        JsonParser.parseString(Files.readString(folder.resolve("manifest.json"))).getAsJsonObject();
    Map<String, String> wrong = new TreeMap<>();
    for (Map.Entry<String, JsonElement> entry : manifest.entrySet()) {
      String expected = entry.getValue().getAsJsonObject().get("expect").getAsString();
      String verdict = "accept";
      try (GgufFile file = GgufFile.open(folder.resolve(entry.getKey() + ".gguf"))) {
        assertTrue(file.size() > 0);
      } catch (BadModelFileException | UnsupportedFormatException e) {
        verdict = "reject";
        assertTrue(e.getMessage().matches(MESSAGE), e.getMessage());
      }
      if (!expected.equals(verdict) && !expected.equals("either")) {
        wrong.put(entry.getKey(), verdict + " instead of " + expected);
      }
    }
    assertEquals(Map.of(), wrong);
    assertEquals(58, manifest.size());
  }

  @Test
  void everyModelAndVocabularyOpens() throws IOException {
    int files = 0;
    for (String folder : List.of("models", "vocab")) {
      try (Stream<Path> paths = Files.list(TestData.path(folder))) {
        for (Path path : paths.filter(p -> p.toString().endsWith(".gguf")).toList()) {
          files++;
          try (GgufFile file = GgufFile.open(path)) {
            assertEquals(3, file.version());
            assertEquals(32, file.alignment());
            assertEquals(Files.size(path), file.size());
            assertTrue(file.metadata().length("tokenizer.ggml.tokens") > 0);
            for (GgufTensor tensor : file.tensors()) {
              assertEquals(tensor.bytes(), file.data(tensor).byteSize());
              assertEquals(0, tensor.offset() % file.alignment());
              Matrix matrix = file.matrix(tensor);
              assertEquals(tensor.elements(), matrix.rows() * matrix.columns());
            }
          }
        }
      }
    }
    assertEquals(24, files);
  }

  @Test
  void knownValuesOfAModel() {
    try (GgufFile file = GgufFile.open(TestData.path("models/stories260K.gguf"))) {
      GgufMetadata metadata = file.metadata();
      assertEquals("tokenizer.ggml.tokens", metadata.keys().iterator().next());
      assertEquals(19, metadata.keys().size());
      assertEquals("llama", metadata.string("general.architecture"));
      assertEquals(64, metadata.integer("llama.embedding_length"));
      assertEquals(0xFFFFFFFFL, metadata.integer("tokenizer.ggml.padding_token_id"));
      assertEquals((double) 1e-5f, metadata.real("llama.attention.layer_norm_rms_epsilon"));
      assertEquals(GgufType.UINT32, metadata.type("llama.block_count"));
      assertEquals(GgufType.ARRAY, metadata.type("tokenizer.ggml.scores"));
      List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
      assertEquals(512, tokens.size());
      assertEquals(List.of("<unk>", "<s>", "</s>", "<0x00>"), tokens.subList(0, 4));
      assertEquals(512, metadata.reals("tokenizer.ggml.scores").length);
      assertEquals(6, metadata.integers("tokenizer.ggml.token_type")[3]);

      assertEquals(48, file.tensors().size());
      GgufTensor embedding = file.tensor("token_embd.weight");
      assertEquals(TensorType.F32, embedding.type());
      assertEquals(List.of(64L, 512L), embedding.shape());
      Matrix matrix = file.matrix(embedding);
      assertEquals(512, matrix.rows());
      assertEquals(64, matrix.columns());
      assertTrue(Math.abs(matrix.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0)) < 10);
    }
  }

  @Test
  void versionTwoReadsLikeThree() {
    try (GgufFile file = GgufFile.open(TestData.path("bad-gguf/ok_v2.gguf"))) {
      assertEquals(2, file.version());
      assertEquals("llama", file.metadata().string("general.architecture"));
      assertEquals(1, file.data(file.tensor("a")).get(ValueLayout.JAVA_BYTE, 1));
    }
  }

  @Test
  void dimensionsAboveTheFirstBecomeRows() {
    try (GgufFile file = Bytes.header(1, 0).tensor("experts", 0, 0, 2, 3, 5).data(120).parse()) {
      GgufTensor tensor = file.tensor("experts");
      assertEquals(2, tensor.columns());
      assertEquals(15, tensor.rows());
      assertEquals(30, tensor.elements());
      assertEquals(120, tensor.bytes());
    }
  }

  @Test
  void tensorsMayLieInAnyOrderWithGaps() {
    try (GgufFile file =
        Bytes.header(2, 0).tensor("b", 0, 96, 8).tensor("a", 0, 32, 8).data(128).parse()) {
      assertEquals(List.of("b", "a"), file.tensors().stream().map(GgufTensor::name).toList());
      assertEquals(64, file.tensor("b").offset() - file.tensor("a").offset());
    }
  }

  @Test
  void missingTensorNamesItsNeighbours() {
    try (GgufFile file =
        Bytes.header(2, 0)
            .tensor("blk.0.attn_q.weight", 0, 0, 8)
            .tensor("output_norm.weight", 0, 32, 8)
            .data(64)
            .parse()) {
      assertNull(file.findTensor("blk.0.attn_k.weight"));
      String message =
          assertThrows(BadModelFileException.class, () -> file.tensor("blk.0.attn_k.weight"))
              .getMessage();
      assertTrue(message.contains("memory.gguf"), message);
      assertTrue(message.contains("did you mean 'blk.0.attn_q.weight'?"), message);
      assertFalse(message.contains("output_norm"), message);
    }
  }

  @Test
  void tensorsOfOtherFilesAreRefused() {
    try (GgufFile file = Bytes.header(1, 0).tensor("a", 0, 0, 8).data(32).parse()) {
      GgufTensor a = file.tensor("a");
      GgufTensor other = new GgufTensor("a", a.type(), a.shape(), a.offset() + 32, a.bytes());
      assertThrows(BadArgumentException.class, () -> file.data(other));
    }
  }

  @Test
  void dataIsReadOnly() {
    try (GgufFile file = GgufFile.open(TestData.path("bad-gguf/ok_scalar1d.gguf"))) {
      MemorySegment data = file.data(file.tensors().getFirst());
      assertTrue(data.isReadOnly());
      assertTrue(file.matrix(file.tensors().getFirst()).segment().isReadOnly());
    }
  }

  @Test
  void closingWaitsForHolders() {
    GgufFile file = GgufFile.open(TestData.path("bad-gguf/ok_scalar1d.gguf"));
    GgufTensor tensor = file.tensors().getFirst();
    MemorySegment data = file.data(tensor);
    file.acquire();
    file.close();
    assertTrue(file.isClosed());
    assertEquals(1, data.get(ValueLayout.JAVA_BYTE, 1));
    assertThrows(ClosedException.class, () -> file.data(tensor));
    assertThrows(ClosedException.class, file::acquire);
    file.release();
    assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 1));
    assertEquals(1, file.tensors().size());
    file.close();
  }

  @Test
  void whatIsNoFileIsRefusedByName(@TempDir Path folder) throws IOException {
    Path absent = folder.resolve("absent.gguf");
    assertMessage("absent.gguf: no such file", () -> GgufFile.open(absent));
    assertMessage("not a regular file", () -> GgufFile.open(folder));
    Path empty = Files.createFile(folder.resolve("empty.gguf"));
    assertMessage("magic at byte 0", () -> GgufFile.open(empty));
    Path text = Files.writeString(folder.resolve("text.gguf"), "This is not a model at all.");
    assertMessage("0x54686973: no GGUF file", () -> GgufFile.open(text));
  }

  @Test
  void aFileCutWhileItIsReadIsATypedError(@TempDir Path folder) throws IOException {
    Path path = Files.write(folder.resolve("cut.gguf"), Bytes.header(0, 0).toArray());
    try (Arena arena = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      channel.truncate(0);
      assertMessage("cut short while being read", () -> GgufFile.parse(mapping, path));
    }
  }

  @Test
  void otherVersionsAndByteOrdersAreNamed() {
    assertUnsupported("version at byte 4: 1 is not supported", version(1));
    assertUnsupported("version at byte 4: 50331648: a big-endian file", version(3 << 24));
    assertUnsupported("version at byte 4: 4 is newer", version(4));
    assertMessage("version at byte 4: 0 doesn't exist", () -> Bytes.parse(version(0)));
  }

  @Test
  void tensorTypesThatMayYetComeAreUnsupportedOthersBad() {
    byte[] future = Bytes.header(1, 0).tensor("a", 41, 0, 8).data(64).toArray();
    assertUnsupported("tensor 'a', type at byte 45: tensor type 41", future);
    byte[] withdrawn = Bytes.header(1, 0).tensor("a", 38, 0, 8).data(64).toArray();
    assertMessage("there is no tensor type 38", () -> Bytes.parse(withdrawn));
  }

  @Test
  void messagesShowNoControlCharacters() {
    byte[] image = Bytes.header(0, 1).string("a\u001b[2J\u202e\n").int32(99).toArray();
    assertMessage("metadata key 'a\\u001b[2J\\u202e\\u000a', type", () -> Bytes.parse(image));
    byte[] longKey = Bytes.header(0, 1).string("k".repeat(60_000)).int32(99).toArray();
    SmallMindException e = assertThrows(SmallMindException.class, () -> Bytes.parse(longKey));
    assertTrue(e.getMessage().length() < 400, e.getMessage());
  }

  @Test
  void namesMustBeUniqueUtf8OfSaneLength() {
    byte[] invalid = {'a', (byte) 0xFF};
    assertMessage(
        "is not valid UTF-8",
        () -> Bytes.header(0, 1).int64(2).raw(invalid).int32(7).int8(1).parse());
    assertMessage(
        "length of its name at byte 24: 0 bytes",
        () -> Bytes.header(0, 1).string("").int32(7).int8(1).parse());
    assertMessage(
        "1025 bytes are not from 1 to 1024",
        () -> Bytes.header(1, 0).tensor("n".repeat(1025), 0, 0, 8).data(32).parse());
    assertMessage(
        "tensor 'a', name at byte 57: it is there twice",
        () -> Bytes.header(2, 0).tensor("a", 0, 0, 8).tensor("a", 0, 32, 8).data(64).parse());
  }

  @Test
  void boolsAreZeroOrOne() {
    assertMessage(
        "metadata key 'b', value at byte 37: a bool is 0 or 1, not 2",
        () -> Bytes.header(0, 1).key("b", GgufType.BOOL).int8(2).parse());
    Bytes array = Bytes.header(0, 1).key("b", GgufType.ARRAY).int32(GgufType.BOOL.id()).int64(3);
    assertMessage(
        "metadata key 'b', value at byte 50: a bool is 0 or 1, not 255",
        () -> array.int8(1).int8(255).int8(0).parse());
  }

  @Test
  void offsetsAndSizesMustFit() {
    assertMessage(
        "tensor 'a', offset at byte 49: 16 is no multiple of the alignment 32",
        () -> Bytes.header(1, 0).tensor("a", 0, 16, 8).data(64).parse());
    assertMessage(
        "tensor 'a', data at byte 24: 32 bytes at data offset 32 pass the end",
        () -> Bytes.header(1, 0).tensor("a", 0, 32, 8).data(63).parse());
    assertMessage(
        "it overlaps tensor 'a'",
        () -> Bytes.header(2, 0).tensor("b", 0, 32, 8).tensor("a", 0, 0, 9).data(64).parse());
    assertMessage(
        "dimension 1 is 0", () -> Bytes.header(1, 0).tensor("a", 0, 0, 8, 0).data(64).parse());
    assertMessage(
        "passes 2^63",
        () -> Bytes.header(1, 0).tensor("a", 2, 0, 32, 1L << 40, 1L << 20).data(64).parse());
  }

  private static byte[] version(int version) {
    return new Bytes().int32(GgufParser.MAGIC).int32(version).int64(0).int64(0).toArray();
  }

  private static void assertUnsupported(String part, byte[] image) {
    String message =
        assertThrows(UnsupportedFormatException.class, () -> Bytes.parse(image)).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.matches(MESSAGE), message);
  }

  private static void assertMessage(String part, Runnable action) {
    try {
      action.run();
    } catch (BadModelFileException e) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
      return;
    }
    fail("nothing thrown");
  }

  @Test
  void alignmentDecidesWhereDataBegins() {
    Bytes bytes = Bytes.header(1, 1).key("general.alignment", GgufType.UINT32).int32(64);
    byte[] image = bytes.tensor("a", 24, 64, 3).toArray();
    byte[] padded = new byte[256 + 3];
    System.arraycopy(image, 0, padded, 0, image.length);
    padded[256 - 64 + 64] = 7;
    padded[194] = 9;
    try (GgufFile file = Bytes.parse(padded)) {
      assertEquals(64, file.alignment());
      GgufTensor tensor = file.tensor("a");
      assertEquals(roundUp(image.length, 64) + 64, tensor.offset());
      assertArrayEquals(
          Arrays.copyOfRange(padded, (int) tensor.offset(), (int) tensor.offset() + 3),
          file.data(tensor).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private static long roundUp(long value, long unit) {
    return (value + unit - 1) / unit * unit;
  }
}
