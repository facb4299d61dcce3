package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.FileWriteException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Machine;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.Backends;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Packed weights that are kept in a file give what packing gives, whatever is in the file. */
class PackedFileTest {
  private static final Team TEAM = new Team(Math.min(2, Machine.availableProcessors()));

  /** Where the size of the header stands. */
  private static final int SIZE_AT = 8;

  private static final int TOKENS = 9;

  /** Which tells of every file that was written anew. */
  private static final Logger LOG = Logger.getLogger("io.smallmind.model");

  @TempDir private Path folder;

  @BeforeAll
  static void beQuiet() {
    LOG.setLevel(Level.WARNING);
  }

  @AfterAll
  static void tellAgain() {
    LOG.setLevel(null);
    TEAM.close();
  }

  static Stream<Arguments> every() {
    return packing()
        .flatMap(
            backend ->
                Stream.of("stories260K", "tinystories-656k-Q5_1", "random-1m4-Q4_K_M")
                    .map(model -> Arguments.of(backend, model)));
  }

  /** Those that pack anything. */
  static Stream<String> packing() {
    return Backends.names().stream()
        .filter(
            name -> KernelRegistry.get().byName(name).packedBytes(TensorType.Q4_0, 32, 256) > 0);
  }

  private Path copy(String name) throws IOException {
    Path model = folder.resolve("model.gguf");
    return Files.copy(TestData.path("models/" + name + ".gguf"), model);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("every")
  void aSecondLoadMapsWhatTheFirstPacked(String backend, String name) throws IOException {
    Path model = copy(name);
    float[] packed = logits(model, backend, false);
    assertArrayEquals(packed, logits(model, backend, true), "while writing");
    Path kept = folder.resolve("model.gguf." + backend + ".packed");
    Object written = key(kept);
    try (GgufFile file = GgufFile.open(model);
        Model loaded = load(file, backend, true)) {
      assertTrue(loaded.weights().output[0].weights().segment().isMapped());
      for (LayerWeights layer : loaded.weights().layers) {
        assertTrue(layer.attentionOutput()[0].weights().segment().isMapped());
      }
      assertArrayEquals(packed, logits(loaded), "mapped");
    }
    assertEquals(written, key(kept), "written once");
    assertEquals(List.of("model.gguf", kept.getFileName().toString()), names());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void whatIsNotOfThisModelOrLayoutIsWrittenAnew(String backend) throws IOException {
    Path model = copy("random-1m4-Q4_K_M");
    float[] packed = logits(model, backend, false);
    logits(model, backend, true);
    Path kept = folder.resolve("model.gguf." + backend + ".packed");
    byte[] right = Files.readAllBytes(kept);
    int end = ByteBuffer.wrap(right).getInt(SIZE_AT);
    List<byte[]> wrong =
        List.of(
            new byte[0],
            Arrays.copyOf(right, 7),
            Arrays.copyOf(right, end - 1),
            Arrays.copyOf(right, right.length - 1),
            Arrays.copyOf(right, right.length + 1),
            changed(right, 0),
            changed(right, 7),
            changed(right, SIZE_AT),
            changed(right, right.length - 1),
            changed(right, 2 << 20),
            changed(right, middle(right)), // which only its checksum tells
            // With the right checksum: another layout, model size, time of change.
            sealed(changed(right, 15)),
            sealed(changed(right, 14 + layoutLength(right) + 7)),
            sealed(changed(right, 14 + layoutLength(right) + 15)),
            // A matrix more than there are; of the first one its name, rows, columns and place.
            sealed(changed(right, 14 + layoutLength(right) + 19)),
            sealed(changed(right, entry(right) + 2)),
            sealed(changed(right, numbers(right) + 7)),
            sealed(changed(right, numbers(right) + 15)),
            sealed(changed(right, numbers(right) + 22)),
            sealed(changed(right, numbers(right) + 31)));
    for (int i = 0; i < wrong.size(); i++) {
      Files.write(kept, wrong.get(i));
      assertArrayEquals(packed, logits(model, backend, true), "case " + i);
      assertArrayEquals(right, Files.readAllBytes(kept), "case " + i);
    }
  }

  private static int layoutLength(byte[] file) {
    return ByteBuffer.wrap(file).getShort(12);
  }

  /** Where the first matrix is described. */
  private static int entry(byte[] file) {
    return 14 + layoutLength(file) + 20;
  }

  /** Where its rows, columns, place and size stand. */
  private static int numbers(byte[] file) {
    ByteBuffer buffer = ByteBuffer.wrap(file);
    int type = entry(file) + 2 + buffer.getShort(entry(file));
    return type + 2 + buffer.getShort(type);
  }

  /** A byte of the first matrix that is neither of its first rows nor of its last ones. */
  private static int middle(byte[] file) {
    ByteBuffer buffer = ByteBuffer.wrap(file);
    int at = numbers(file);
    return Math.toIntExact(buffer.getLong(at + 16) + buffer.getLong(at + 24) / 2);
  }

  private static byte[] changed(byte[] file, int at) {
    byte[] changed = file.clone();
    changed[at] ^= 1;
    return changed;
  }

  private static byte[] sealed(byte[] file) {
    int end = ByteBuffer.wrap(file).getInt(SIZE_AT) - Integer.BYTES;
    ByteBuffer.wrap(file).putInt(end, PackedHeader.checksum(ByteBuffer.wrap(file, 0, end)));
    return file;
  }

  /** Sealed headers full of nonsense neither throw nor change a result. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void headersAreNotTrusted(String backend) throws IOException {
    Path model = copy("stories260K");
    float[] packed = logits(model, backend, true);
    Path kept = folder.resolve("model.gguf." + backend + ".packed");
    byte[] right = Files.readAllBytes(kept);
    int end = ByteBuffer.wrap(right).getInt(SIZE_AT) - Integer.BYTES;
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      byte[] wrong = right.clone();
      for (int count = random.nextInt(3); count >= 0; count--) {
        int at = 12 + random.nextInt(end - 12);
        if (random.nextBoolean()) {
          wrong[at] = (byte) random.nextInt();
        } else {
          Arrays.fill(
              wrong, at, Math.min(end, at + 8), (byte) (random.nextBoolean() ? 0xff : 0x7f));
        }
      }
      Files.write(kept, sealed(wrong));
      assertArrayEquals(packed, logits(model, backend, true), "case " + i);
    }
  }

  /** By a tool that keeps size and time: the first and last rows tell. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void aModelThatWasChangedIsPackedAnew(String backend) throws IOException {
    Path model = copy("random-1m4-Q6_K");
    float[] before = logits(model, backend, true);
    Path kept = folder.resolve("model.gguf." + backend + ".packed");
    byte[] old = Files.readAllBytes(kept);
    for (boolean last : new boolean[] {false, true}) {
      FileTime time = Files.getLastModifiedTime(model);
      byte[] bytes = Files.readAllBytes(model);
      try (GgufFile file = GgufFile.open(model)) {
        GgufTensor tensor = file.tensor("blk.0.ffn_down.weight");
        int row = (int) (last ? tensor.bytes() / tensor.rows() * (tensor.rows() - 1) : 0);
        bytes[(int) tensor.offset() + row] ^= 0x55;
      }
      Files.write(model, bytes);
      Files.setLastModifiedTime(model, time);
      float[] packed = logits(model, backend, false);
      assertNotEquals(Arrays.toString(before), Arrays.toString(packed));
      assertArrayEquals(packed, logits(model, backend, true), "last row: " + last);
      assertFalse(Arrays.equals(old, Files.readAllBytes(kept)));
      old = Files.readAllBytes(kept);
      before = packed;
    }
    Files.setLastModifiedTime(model, FileTime.fromMillis(12_345_000));
    assertArrayEquals(before, logits(model, backend, true), "touched");
    assertFalse(Arrays.equals(old, Files.readAllBytes(kept)));
  }

  /** Each part has a time of its own. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void aModelInPartsIsKeptAsOne(String backend) throws IOException {
    Path first = folder.resolve("m-00001-of-00002.gguf");
    Path second = folder.resolve("m-00002-of-00002.gguf");
    try (GgufFile whole = GgufFile.open(copy("random-1m4-Q4_0"))) {
      List<GgufTensor> tensors = whole.tensors();
      int half = tensors.size() / 2;
      GgufWriter writer = new GgufWriter().putAll(whole.metadata());
      writer.put("split.tensors.count", tensors.size()).put("split.no", 0).put("split.count", 2);
      tensors.subList(0, half).forEach(tensor -> writer.tensor(whole, tensor));
      writer.write(first);
      GgufWriter other = new GgufWriter().put("split.no", 1).put("split.count", 2);
      tensors.subList(half, tensors.size()).forEach(tensor -> other.tensor(whole, tensor));
      other.write(second);
    }
    float[] packed = logits(first, backend, true);
    Path kept = folder.resolve(first.getFileName() + "." + backend + ".packed");
    Object written = key(kept);
    assertArrayEquals(packed, logits(first, backend, true));
    assertEquals(written, key(kept), "written once");
    Files.setLastModifiedTime(second, FileTime.from(Instant.now().plusSeconds(99)));
    assertArrayEquals(packed, logits(first, backend, true));
    assertNotEquals(written, key(kept), "the second part was changed");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void interruptsAreKeptForLater(String backend) throws IOException {
    Path model = copy("stories260K-Q4_0");
    try (GgufFile file = GgufFile.open(model)) {
      for (int i = 0; i < 2; i++) {
        Thread.currentThread().interrupt();
        Model loaded = load(file, backend, true);
        assertTrue(Thread.interrupted());
        assertEquals(i == 1, loaded.weights().output[0].weights().segment().isMapped());
        loaded.close();
      }
    }
  }

  /** What a killed process left goes, what another one is writing stays. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void abandonedFilesAreDeleted(String backend) throws IOException {
    Path model = copy("stories260K-Q4_0");
    String prefix = ".model.gguf." + backend + ".packed.";
    Path old = Files.createFile(folder.resolve(prefix + "1.tmp"));
    Files.createFile(folder.resolve(prefix + "2.tmp"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(99_999)));
    logits(model, backend, true);
    assertEquals(
        List.of(prefix + "2.tmp", "model.gguf", "model.gguf." + backend + ".packed"), names());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("packing")
  void whatCanNotBeKeptIsAnErrorThatLeavesNothing(String backend) throws IOException {
    Path model = copy("stories260K-Q4_0");
    Path kept = folder.resolve("model.gguf." + backend + ".packed");
    Files.createDirectories(kept.resolve("something"));
    try (GgufFile file = GgufFile.open(model)) {
      FileWriteException error =
          assertThrows(FileWriteException.class, () -> load(file, backend, true).close());
      assertTrue(error.getMessage().startsWith(kept.toString()), error.getMessage());
    }
    assertEquals(List.of("model.gguf", kept.getFileName().toString()), names());
  }

  @Test
  void whoPacksNothingKeepsNothing() throws IOException {
    Path model = copy("stories260K-Q4_0");
    String backend = "scalar";
    assertArrayEquals(logits(model, backend, false), logits(model, backend, true));
    assertEquals(List.of("model.gguf"), names());
    LoadOptions mapped = LoadOptions.defaults().withPack(false);
    assertThrows(BadArgumentException.class, () -> mapped.withKeepPacked(true));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Object key(Path file) throws IOException {
    Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    return key == null ? Files.getLastModifiedTime(file) : key;
  }

  private static Model load(GgufFile file, String backend, boolean keep) {
    return Model.load(
        file,
        KernelRegistry.get().byName(backend),
        TEAM,
        LoadOptions.defaults().withKeepPacked(keep));
  }

  private static float[] logits(Path path, String backend, boolean keep) {
    try (GgufFile file = GgufFile.open(path);
        Model model = load(file, backend, keep)) {
      return logits(model);
    }
  }

  /** Returns the logits behind a few tokens. */
  private static float[] logits(Model model) {
    try (KvCache cache = model.newCache(TensorType.F16, TOKENS);
        Batch batch = model.newBatch(TOKENS, 1)) {
      for (int i = 0; i < TOKENS; i++) {
        batch.add(cache, 3 * i + 1, i == TOKENS - 1);
      }
      assertTrue(model.forward(batch));
      return batch.logits(0).toArray(JAVA_FLOAT);
    }
  }
}
