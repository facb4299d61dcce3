package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.SmallMindException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Mutates valid files, and expects of every mutant that it opens or is refused by a typed error,
 * and that neither allocates more than a small multiple of the bytes it has. The timeout is there
 * for hangs only.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class GgufFuzzTest {
  /** Allocated bytes per byte of a file's header: objects of the smallest keys and tensors. */
  private static final long ALLOCATED_PER_BYTE = 24;

  /** What an error with its message and stack trace, and empty lists take. */
  private static final long ALLOCATED_AT_LEAST = 64 << 10;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Random random = new Random(20260101);
  private int accepted;
  private int refused;
  private @Nullable GgufFile file;

  @Test
  void mutantsOfOurOwnFiles() {
    for (byte[] seed : ownFiles()) {
      fuzz(seed, 30_000);
    }
    assertEquals(180_000, accepted + refused);
    assertTrue(accepted > 10_000 && refused > 50_000, accepted + " accepted, " + refused);
  }

  @Test
  void mutantsOfTestData() throws IOException {
    int small = 0;
    try (Stream<Path> paths = Files.list(TestData.path("bad-gguf"))) {
      for (Path path : paths.filter(p -> p.toString().endsWith(".gguf")).sorted().toList()) {
        byte[] seed = Files.readAllBytes(path);
        if (seed.length < 1000 && seed.length > 0) {
          fuzz(seed, 1000);
          small++;
        }
      }
    }
    assertEquals(57, small);
    fuzz(Files.readAllBytes(TestData.path("models/stories260K-Q4_0.gguf")), 10_000);
    fuzz(Files.readAllBytes(TestData.path("models/random-1m4-Q4_K_M.gguf")), 300);
    fuzz(Files.readAllBytes(TestData.path("vocab/llama-spm.gguf")), 300);
    assertTrue(accepted > 2_000 && refused > 30_000, accepted + " accepted, " + refused);
  }

  private static List<byte[]> ownFiles() {
    GgufWriter scalars = new GgufWriter();
    GgufWriter arrays = new GgufWriter();
    for (GgufType type : GgufType.values()) {
      if (type.isInteger()) {
        scalars.put("scalar." + type, GgufValue.integer(type, 100));
        arrays.put("array." + type, GgufValue.integers(type, 1, 2, 3));
      }
    }
    scalars.put("f", 1.5f).put("d", GgufValue.float64(2.5)).put("b", true).put("s", "text");
    arrays
        .put("f", GgufValue.float32s(1, 2))
        .put("d", GgufValue.float64s(1, 2))
        .put("b", GgufValue.bools(true, false))
        .put("s", GgufValue.strings(List.of("", "a", "bc")))
        .put("empty", GgufValue.strings(List.of()));
    GgufWriter strings = new GgufWriter();
    strings.put("tokens", GgufValue.strings(Stream.iterate("a", s -> s + "b").limit(80).toList()));
    GgufWriter tensors = new GgufWriter().alignment(64).put("general.architecture", "llama");
    GgufWriter many = new GgufWriter();
    TensorType[] types = TensorType.values();
    for (int i = 0; i < types.length; i++) {
      List<Long> shape = new ArrayList<>(List.of((long) types[i].blockLength()));
      shape.addAll(List.of(3L, 2L, 2L).subList(0, i % 4));
      if (i < 6) {
        tensors.tensor("blk.0." + types[i], types[i], shape, zeros(types[i], shape));
      }
      many.tensor("t" + i, types[i], shape, zeros(types[i], shape));
    }
    GgufWriter deep = new GgufWriter().put("k", 1);
    deep.tensor("a", TensorType.F32, List.of(2L, 2L, 2L, 2L), sink -> sink.writeZeros(64));
    return Stream.of(scalars, arrays, strings, tensors, many, deep).map(Bytes::write).toList();
  }

  private static GgufWriter.Source zeros(TensorType type, List<Long> shape) {
    return sink -> sink.writeZeros(GgufTensor.bytes(type, shape));
  }

  private void fuzz(byte[] seed, int iterations) {
    // Only the header is parsed, so mutate little beyond it; and restore no more than that.
    int reach = Math.min(seed.length, headerBytes(seed) + 64);
    byte[] image = seed.clone();
    for (int i = 0; i < iterations; i++) {
      int length = seed.length;
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        if (random.nextInt(12) == 0) {
          length = random.nextInt(random.nextBoolean() ? reach : length) + 1;
        } else {
          mutate(image, reach);
        }
      }
      check(image, length);
      System.arraycopy(seed, 0, image, 0, reach);
    }
  }

  private static int headerBytes(byte[] seed) {
    try {
      GgufFile file = Bytes.parse(seed);
      return (int) file.tensors().stream().mapToLong(GgufTensor::offset).min().orElse(seed.length);
    } catch (SmallMindException e) {
      return seed.length;
    }
  }

  private void mutate(byte[] image, int reach) {
    ByteBuffer buffer = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    // Counts and lengths lie at the start, or anywhere.
    int at = random.nextInt(random.nextInt(4) == 0 ? Math.min(64, reach) : reach);
    switch (random.nextInt(6)) {
      case 0 -> image[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> image[at] = (byte) random.nextInt();
      case 2 -> {
        if (at + Integer.BYTES <= reach) {
          buffer.putInt(at, (int) interesting());
        }
      }
      case 3 -> {
        if (at + Long.BYTES <= reach) {
          buffer.putLong(at, interesting());
        }
      }
      case 4 -> {
        if (at + Long.BYTES <= reach) {
          buffer.putLong(at, buffer.getLong(at) + random.nextInt(-3, 4));
        }
      }
      default -> {
        int from = random.nextInt(reach);
        int count = Math.min(random.nextInt(64), reach - Math.max(at, from));
        System.arraycopy(image, from, image, at, count);
      }
    }
  }

  /** Returns small numbers, powers of two and their neighbours, and the negatives of all. */
  private long interesting() {
    long power = 1L << random.nextInt(Long.SIZE);
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt(64);
      case 1 -> power - 1;
      case 2 -> power + 1;
      case 3 -> -power;
      case 4 -> -power - 32;
      default -> power;
    };
  }

  private void check(byte[] image, int length) {
    MemorySegment segment = MemorySegment.ofArray(image).asSlice(0, length);
    long allowed = ALLOCATED_AT_LEAST + ALLOCATED_PER_BYTE * length;
    // What is allocated once, by classes that are loaded just now, is not allocated again.
    if (parse(segment, image) > allowed) {
      long again = parse(segment, image);
      assertTrue(again <= allowed, () -> again + " bytes allocated on " + describe(image, length));
    }
    if (file == null) {
      refused++;
    } else {
      accepted++;
      use(file, image, length);
    }
  }

  /** Sets the file, null if it is refused, and returns how many bytes were allocated. */
  private long parse(MemorySegment segment, byte[] image) {
    file = null;
    long before = threads.getCurrentThreadAllocatedBytes();
    try {
      file = GgufFile.parse(segment, Path.of("mutant.gguf"));
    } catch (BadModelFileException | UnsupportedFormatException e) {
      assertTrue(e.getMessage().length() < 1000);
    } catch (RuntimeException | Error e) {
      throw new AssertionError("untyped error on " + describe(image, (int) segment.byteSize()), e);
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  /** What was accepted must be usable to the last byte, and be read again from a copy. */
  private void use(GgufFile file, byte[] image, int length) {
    for (GgufTensor tensor : file.tensors()) {
      assertEquals(tensor.bytes(), file.data(tensor).byteSize());
      assertEquals(tensor.bytes(), GgufTensor.bytes(tensor.type(), tensor.shape()));
      assertTrue(tensor.elements() > 0);
    }
    for (String key : file.metadata().keys()) {
      assertTrue(file.metadata().value(key).toString().length() < 1000);
    }
    if (accepted % 8 != 0) {
      return;
    }
    try {
      GgufFile copy = Bytes.parse(Bytes.write(Bytes.copy(file)));
      assertEquals(List.copyOf(file.metadata().keys()), List.copyOf(copy.metadata().keys()));
      for (int i = 0; i < copy.tensors().size(); i++) {
        assertEquals(
            -1, file.data(file.tensors().get(i)).mismatch(copy.data(copy.tensors().get(i))));
      }
    } catch (BadArgumentException e) {
      assertTrue(e.getMessage().contains("bytes, not 1 to 63"), e.getMessage());
    } catch (RuntimeException e) {
      throw new AssertionError("copying failed on " + describe(image, length), e);
    }
  }

  private static String describe(byte[] image, int length) {
    byte[] head = Arrays.copyOf(image, Math.min(length, 2000));
    return length + " bytes, " + HexFormat.of().formatHex(head);
  }
}
