package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.OutOfMemoryException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sizes that break readers: huge files, and headers made to cost time or memory. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class GgufLimitsTest {
  /** More than a 16-bit count of MiB, and than anything that could be read or held at once. */
  private static final long HUGE_BYTES = 40L << 30;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Test
  void aHugeFileOfHolesIsWrittenOpenedAndReadAtItsEnd(@TempDir Path folder) throws IOException {
    assumeSparseFiles(folder);
    Path path = folder.resolve("huge.gguf");
    long columns = 8192;
    long rows = HUGE_BYTES / TensorType.Q4_0.rowBytes(columns) / 2;
    long bytes = rows * TensorType.Q4_0.rowBytes(columns);
    byte[] tail = {1, 2, 3, 4, 5, 6, 7, 8};
    GgufWriter writer =
        new GgufWriter()
            .put("general.architecture", "llama")
            .tensor("first", TensorType.Q4_0, List.of(columns, rows), s -> s.writeZeros(bytes))
            .tensor(
                "second",
                TensorType.Q4_0,
                List.of(columns, rows),
                sink -> {
                  sink.writeZeros(bytes - tail.length);
                  sink.write(MemorySegment.ofArray(tail));
                })
            .tensor("hole", TensorType.F32, List.of(1L << 20), s -> s.writeZeros(4 << 20));
    long before = threads.getCurrentThreadAllocatedBytes();
    writer.write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertTrue(file.size() >= 2 * bytes + (4 << 20));
      MemorySegment second = file.data(file.tensor("second"));
      assertEquals(8, second.get(ValueLayout.JAVA_BYTE, bytes - 1));
      assertEquals(rows, file.matrix(file.tensor("second")).rows());
      MemorySegment hole = file.data(file.tensor("hole"));
      assertEquals(0, hole.get(ValueLayout.JAVA_BYTE, (4 << 20) - 1));
    }
    assertTrue(threads.getCurrentThreadAllocatedBytes() - before < 16 << 20);
  }

  /** Mapped often enough, a file of 15 TiB fills any address space of 47 or 48 bits. */
  @Test
  void anExhaustedAddressSpaceIsATypedError(@TempDir Path folder) throws IOException {
    assumeSparseFiles(folder);
    Path path = Files.write(folder.resolve("vast.gguf"), Bytes.header(0, 0).toArray());
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), 15L << 40);
    } catch (IOException e) {
      Assumptions.abort("SKIPPED: no vast files here: " + e);
    }
    List<GgufFile> files = new ArrayList<>();
    try {
      OutOfMemoryException e =
          assertThrows(
              OutOfMemoryException.class,
              () -> {
                while (files.size() < 20) {
                  files.add(GgufFile.open(path));
                }
              });
      assertTrue(e.getMessage().contains("vast.gguf"), e.getMessage());
    } finally {
      files.forEach(GgufFile::close);
    }
    GgufFile.open(path).close();
  }

  @Test
  void aHugeHoleOfAHeaderIsRefusedCheaply(@TempDir Path folder) throws IOException {
    assumeSparseFiles(folder);
    Bytes key = Bytes.header(0, 1).key("k", GgufType.ARRAY);
    long max = GgufParser.MAX_ARRAY_LENGTH;
    Bytes[] heads = {
      Bytes.header(0, 1).key("k", GgufType.STRING).int64(HUGE_BYTES / 2),
      Bytes.header(0, 1).key("k", GgufType.ARRAY).int32(0).int64(HUGE_BYTES / 2),
      key.int32(GgufType.STRING.id()).int64(HUGE_BYTES / 16),
      Bytes.header(0, 1).key("k", GgufType.ARRAY).int32(GgufType.FLOAT64.id()).int64(max + 1),
      Bytes.header(0, 2).key("k", GgufType.ARRAY).int32(GgufType.STRING.id()).int64(max),
      Bytes.header(0, GgufParser.MAX_KEYS),
      Bytes.header(GgufParser.MAX_TENSORS, 0)
    };
    long[] allowed = {1, 1, 1, 1, 10, 1, 1}; // allocation in bytes per array element, at most
    for (int i = 0; i < heads.length; i++) {
      Path path = sparse(folder, heads[i]);
      long before = threads.getCurrentThreadAllocatedBytes();
      assertThrows(BadModelFileException.class, () -> GgufFile.open(path));
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < allowed[i] * max, "head " + i + ": " + allocated + " bytes");
    }
  }

  @Test
  void theSmallestKeysAndTensorsCostAFewTimesTheirBytes() {
    int keys = GgufParser.MAX_KEYS;
    int tensors = GgufParser.MAX_TENSORS / 4;
    Bytes bytes = Bytes.header(tensors, keys);
    for (int i = 0; i < keys; i++) {
      bytes.key(Integer.toString(i, 36), GgufType.UINT8).int8(i);
    }
    for (int i = 0; i < tensors; i++) {
      bytes.tensor(Integer.toString(i, 36), TensorType.I8.ggufId(), 32L * i, 1);
    }
    byte[] image = bytes.data(32 * tensors).toArray();
    long before = threads.getCurrentThreadAllocatedBytes();
    GgufFile file = Bytes.parse(image);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertEquals(keys, file.metadata().keys().size());
    assertEquals(tensors, file.tensors().size());
    assertTrue(allocated < 24L * image.length, allocated + " for " + image.length);
  }

  /** "Aa" and "BB" hash alike: 2^16 names in one bucket must not be compared one by one. */
  @Test
  void namesThatCollideInHashTablesStayCheap() {
    int count = 1 << 16;
    Bytes bytes = Bytes.header(count, count);
    for (int i = 0; i < count; i++) {
      bytes.key(colliding(i), GgufType.UINT8).int8(0);
    }
    for (int i = 0; i < count; i++) {
      bytes.tensor(colliding(i), TensorType.I8.ggufId(), 32L * i, 1);
    }
    assertEquals(colliding(0).hashCode(), colliding(count - 1).hashCode());
    GgufFile file = Bytes.parse(bytes.data(32 * count).toArray());
    assertEquals(count, file.tensors().size());
    assertThrows(BadModelFileException.class, () -> file.tensor("AaAaAaAaAaAaAaAb"));
  }

  private static String colliding(int bits) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      name.append((bits >> i & 1) == 0 ? "Aa" : "BB");
    }
    return name.toString();
  }

  @Test
  void longNamesAreComparedInPartOnly() {
    int count = 2000;
    Bytes bytes = Bytes.header(0, count);
    for (int i = 0; i < count; i++) {
      bytes.key("k".repeat(60_000) + i, GgufType.UINT8).int8(0);
    }
    GgufMetadata metadata = bytes.parse().metadata();
    String wanted = "k".repeat(65_000);
    String message =
        assertThrows(BadModelFileException.class, () -> metadata.integer(wanted)).getMessage();
    assertTrue(message.length() < 1000, message);
  }

  @Test
  void countsBeyondSenseAreRefusedAtOnce() {
    assertThrows(
        BadModelFileException.class, () -> Bytes.header(0, GgufParser.MAX_KEYS + 1L).parse());
    assertThrows(
        BadModelFileException.class, () -> Bytes.header(GgufParser.MAX_TENSORS + 1L, 0).parse());
  }

  private static Path sparse(Path folder, Bytes head) throws IOException {
    Path path = folder.resolve("sparse.gguf");
    Files.write(path, head.toArray());
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), HUGE_BYTES);
    }
    return path;
  }

  /** Skips where a file of holes would really take its size. */
  private static void assumeSparseFiles(Path folder) throws IOException {
    Path probe = folder.resolve("probe");
    Files.write(probe, "x".getBytes(StandardCharsets.UTF_8));
    long free = Files.getFileStore(folder).getUsableSpace();
    try (FileChannel channel = FileChannel.open(probe, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), 1L << 30);
      channel.force(true);
    } catch (IOException e) {
      Assumptions.abort("SKIPPED: no large files here: " + e);
    }
    long taken = free - Files.getFileStore(folder).getUsableSpace();
    Files.delete(probe);
    Assumptions.assumeTrue(taken < 1L << 29, "SKIPPED: no sparse files here");
  }
}
