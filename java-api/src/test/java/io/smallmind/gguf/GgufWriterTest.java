package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.FileWriteException;
import io.smallmind.error.SmallMindException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
  @TempDir Path folder;

  private static GgufWriter.Source bytes(int... sizes) {
    return sink -> {
      for (int size : sizes) {
        byte[] data = new byte[size];
        Arrays.fill(data, (byte) size);
        sink.write(MemorySegment.ofArray(data));
      }
    };
  }

  @Test
  void dataArrivesInPieces() {
    GgufWriter writer =
        new GgufWriter().tensor("a", TensorType.I8, List.of(3L, 2L), bytes(1, 3, 2));
    try (GgufFile file = Bytes.parse(Bytes.write(writer))) {
      assertArrayEquals(
          new byte[] {1, 3, 3, 3, 2, 2},
          file.data(file.tensor("a")).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void piecesLargerThanTheBufferArriveWhole() {
    float[] values = new float[1_000_003];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    GgufWriter writer =
        new GgufWriter()
            .tensor("odd", TensorType.I8, List.of(5L), bytes(5))
            .tensor("a", TensorType.F32, List.of(1_000_003L), MemorySegment.ofArray(values));
    try (GgufFile file = Bytes.parse(Bytes.write(writer))) {
      assertArrayEquals(
          values, file.data(file.tensor("a")).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
    }
  }

  @Test
  void aFileTakesItsTargetsPlaceInOneStep() throws IOException {
    Path path = folder.resolve("model.gguf");
    new GgufWriter().put("generation", 1).write(path);
    try (GgufFile first = GgufFile.open(path)) {
      new GgufWriter().putAll(first.metadata()).put("generation", 2).put("more", true).write(path);
      assertEquals(1, first.metadata().integer("generation"));
    }
    try (GgufFile second = GgufFile.open(path)) {
      assertEquals(2, second.metadata().integer("generation"));
      assertEquals(List.of("generation", "more"), List.copyOf(second.metadata().keys()));
    }
    assertEquals(List.of(path), files());
  }

  @Test
  void aFileMayReplaceItself() throws IOException {
    Path path = folder.resolve("model.gguf");
    new GgufWriter().tensor("a", TensorType.I8, List.of(5L), bytes(5)).write(path);
    try (GgufFile file = GgufFile.open(path)) {
      Bytes.copy(file).alignment(4096).write(path);
    }
    try (GgufFile file = GgufFile.open(path)) {
      assertEquals(4096, file.tensor("a").offset());
      assertEquals(5, file.data(file.tensor("a")).get(ValueLayout.JAVA_BYTE, 4));
    }
  }

  @Test
  void afterAFailureTheOldFileStandsAlone() throws IOException {
    Path path = folder.resolve("model.gguf");
    new GgufWriter().put("generation", 1).write(path);
    assertFailure("its source gave 1 less", path, bytes(7));
    assertFailure("its source gave 2 where 1 were left", path, bytes(7, 2));
    assertFailure("its source gave -1", path, sink -> sink.writeZeros(-1));
    assertThrows(
        IllegalStateException.class,
        () ->
            writer(
                    sink -> {
                      throw new IllegalStateException("from the source");
                    })
                .write(path));
    assertEquals(List.of(path), files());
    try (GgufFile file = GgufFile.open(path)) {
      assertEquals(1, file.metadata().integer("generation"));
    }
  }

  @Test
  void targetsThatCannotBeWrittenAreNamed() {
    Path absent = folder.resolve("absent/model.gguf");
    FileWriteException e =
        assertThrows(FileWriteException.class, () -> new GgufWriter().write(absent));
    assertTrue(e.getMessage().contains("model.gguf: its folder doesn't exist"), e.getMessage());
    assertThrows(FileWriteException.class, () -> new GgufWriter().write(folder));
    assertThrows(FileWriteException.class, () -> new GgufWriter().write(Path.of("/")));
  }

  @Test
  void aFullDiskIsATypedErrorInTheSinkToo() throws IOException {
    Path full = Path.of("/dev/full");
    Assumptions.assumeTrue(Files.isWritable(full), "no /dev/full");
    try (FileChannel channel = FileChannel.open(full, StandardOpenOption.WRITE)) {
      GgufWriter writer =
          new GgufWriter()
              .tensor("a", TensorType.I8, List.of(4L << 20), bytes(1 << 20, 1 << 20, 2 << 20));
      FileWriteException e =
          assertThrows(FileWriteException.class, () -> writer.write(channel, "full.gguf"));
      assertTrue(e.getMessage().contains("full.gguf: can't be written"), e.getMessage());
    }
  }

  @Test
  void whatNoReaderWouldTakeIsRefused() {
    GgufWriter writer = new GgufWriter().tensor("a", TensorType.F32, List.of(8L), bytes(32));
    refused("was added twice", () -> writer.tensor("a", TensorType.F32, List.of(8L), bytes()));
    refused("64 bytes, not 1 to 63", () -> shape("n".repeat(64), TensorType.F32, 8));
    refused("0 bytes, not 1 to 63", () -> shape("", TensorType.F32, 8));
    refused("no valid Unicode", () -> shape("\uDC00", TensorType.F32, 8));
    refused("0 dimensions", () -> shape("a", TensorType.F32));
    refused("5 dimensions", () -> shape("a", TensorType.F32, 1, 1, 1, 1, 1));
    refused("lengths begin at 1", () -> shape("a", TensorType.F32, 8, 0));
    refused("tensor 'a': a row of Q4_0", () -> shape("a", TensorType.Q4_0, 33));
    refused("passes 2^63", () -> shape("a", TensorType.F32, 1L << 31, 1L << 31));
    refused("passes 2^63", () -> shape("a", TensorType.Q4_0, 1L << 34, 1L << 29));
    refused("not 1 to 65535", () -> new GgufWriter().put("k".repeat(65_536), 1));
    refused("not 1 to 65535", () -> new GgufWriter().put("", 1));
    refused("no valid Unicode", () -> new GgufWriter().put("\uD800", 1));
    refused("no power of two", () -> new GgufWriter().alignment(24));
    refused("no power of two", () -> new GgufWriter().alignment(4));
    refused(
        "no power of two", () -> Bytes.write(new GgufWriter().put("general.alignment", 1L << 31)));
    refused(
        "must be an integer", () -> Bytes.write(new GgufWriter().put("general.alignment", "32")));
    refused(
        "the segment has 31",
        () ->
            new GgufWriter()
                .tensor("a", TensorType.I8, List.of(32L), MemorySegment.ofArray(new byte[31])));
    refused(
        "readers accept " + GgufParser.MAX_ARRAY_LENGTH,
        () ->
            new GgufWriter()
                .put("k", GgufValue.bools(new boolean[GgufParser.MAX_ARRAY_LENGTH + 1])));
    GgufWriter huge = shape("a", TensorType.F32, 1L << 60);
    huge.tensor("b", TensorType.F32, List.of(1L << 60), bytes());
    refused("past 2^63", () -> Bytes.write(huge));
  }

  @Test
  void aRefusedSegmentLeavesItsNameFree() {
    GgufWriter writer = new GgufWriter();
    MemorySegment wrong = MemorySegment.ofArray(new byte[31]);
    assertThrows(
        BadArgumentException.class, () -> writer.tensor("a", TensorType.I8, List.of(32L), wrong));
    writer.tensor("a", TensorType.I8, List.of(31L), wrong);
    assertEquals(1, Bytes.parse(Bytes.write(writer)).tensors().size());
  }

  @Test
  void aRemovedKeyIsGone() {
    GgufWriter writer = new GgufWriter().put("a", 1).put("b", 1.5f).remove("a");
    GgufMetadata metadata = Bytes.parse(Bytes.write(writer)).metadata();
    assertFalse(metadata.has("a"));
    assertEquals(1.5, metadata.real("b"));
  }

  private static GgufWriter shape(String name, TensorType type, long... shape) {
    return new GgufWriter().tensor(name, type, Arrays.stream(shape).boxed().toList(), bytes());
  }

  private static GgufWriter writer(GgufWriter.Source source) {
    return new GgufWriter().tensor("a", TensorType.I8, List.of(8L), source);
  }

  private static void assertFailure(String part, Path path, GgufWriter.Source source) {
    SmallMindException e =
        assertThrows(BadArgumentException.class, () -> writer(source).write(path));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private static void refused(String part, Executable action) {
    String message = assertThrows(BadArgumentException.class, action).getMessage();
    assertTrue(message.contains(part), message);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.toList();
    }
  }
}
