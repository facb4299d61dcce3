package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class GgufRoundTripTest {
  private static final List<GgufType> INTEGERS =
      Stream.of(GgufType.values()).filter(GgufType::isInteger).toList();

  private static final List<TensorType> TYPES =
      List.of(
          TensorType.F32,
          TensorType.F16,
          TensorType.I8,
          TensorType.F64,
          TensorType.Q4_0,
          TensorType.Q8_0,
          TensorType.Q6_K,
          TensorType.IQ2_XXS,
          TensorType.MXFP4);

  @Property(tries = 1000)
  void whatIsWrittenIsReadAgain(
      @ForAll("metadata") Map<String, GgufValue> metadata,
      @ForAll("tensors") List<Tensor> tensors,
      @ForAll("alignments") int alignment) {
    GgufWriter writer = new GgufWriter();
    metadata.forEach(writer::put);
    if (alignment > 0) {
      writer.alignment(alignment);
    }
    for (Tensor tensor : tensors) {
      MemorySegment data = MemorySegment.ofArray(tensor.data());
      writer.tensor(tensor.name(), tensor.type(), tensor.shape(), data);
    }
    byte[] written = Bytes.write(writer);
    if (!tensors.isEmpty()) { // other readers want the last tensor padded, too
      assertEquals(0, written.length % (alignment > 0 ? alignment : 32));
    }

    GgufFile file = Bytes.parse(written);
    List<String> keys = new ArrayList<>(metadata.keySet());
    if (alignment > 0) {
      keys.add("general.alignment");
    }
    assertEquals(keys, List.copyOf(file.metadata().keys()));
    metadata.forEach((key, value) -> assertEquals(value, file.metadata().value(key)));
    assertEquals(alignment > 0 ? alignment : 32, file.alignment());
    assertEquals(tensors.size(), file.tensors().size());
    for (int i = 0; i < tensors.size(); i++) {
      Tensor tensor = tensors.get(i);
      GgufTensor read = file.tensors().get(i);
      assertEquals(tensor.name(), read.name());
      assertEquals(tensor.type(), read.type());
      assertEquals(tensor.shape(), read.shape());
      assertEquals(0, read.offset() % file.alignment());
      assertArrayEquals(tensor.data(), file.data(read).toArray(ValueLayout.JAVA_BYTE));
    }
    assertArrayEquals(written, Bytes.write(Bytes.copy(file)));
  }

  /** Other writers pad alike, but one: the vocabulary of Qwen 2 ends in padding without tensors. */
  @Test
  void realFilesAreRewrittenByteForByte() throws IOException {
    int files = 0;
    for (String folder : List.of("models", "vocab")) {
      try (Stream<Path> paths = Files.list(TestData.path(folder))) {
        for (Path path : paths.filter(p -> p.toString().endsWith(".gguf")).toList()) {
          byte[] original = Files.readAllBytes(path);
          byte[] written = Bytes.write(Bytes.copy(Bytes.parse(original)));
          int end = path.endsWith("qwen2.gguf") ? written.length : original.length;
          assertArrayEquals(Arrays.copyOf(original, end), written, path.toString());
          files++;
        }
      }
    }
    assertEquals(24, files);
  }

  /** A tensor to write. */
  record Tensor(String name, TensorType type, List<Long> shape, byte[] data) {
    @Override
    public String toString() {
      return name + " " + type + " " + shape;
    }
  }

  @Provide
  Arbitrary<Map<String, GgufValue>> metadata() {
    return Arbitraries.maps(keys(), values()).ofMaxSize(12);
  }

  private static Arbitrary<String> keys() {
    return Arbitraries.oneOf(
            Arbitraries.strings().withCharRange('a', 'z').withChars("._0123456789").ofMaxLength(40),
            Arbitraries.strings().all().ofMaxLength(10))
        .filter(key -> !key.isEmpty() && valid(key) && !key.equals("general.alignment"));
  }

  private static boolean valid(String text) {
    return text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE);
  }

  private static Arbitrary<GgufValue> values() {
    Arbitrary<GgufType> integers = Arbitraries.of(INTEGERS);
    Arbitrary<byte[]> bytes = Arbitraries.bytes().array(byte[].class).ofMaxSize(20);
    Arbitrary<String> strings = Arbitraries.strings().all().ofMaxLength(20);
    Arbitrary<String> texts = strings.filter(GgufRoundTripTest::valid);
    Arbitrary<Float> floats = Arbitraries.integers().map(Float::intBitsToFloat);
    Arbitrary<Double> doubles = Arbitraries.longs().map(Double::longBitsToDouble);
    Arbitrary<Boolean> bools = Arbitraries.of(true, false);
    return Arbitraries.oneOf(
        List.of(
            Combinators.combine(integers, Arbitraries.longs())
                .as((type, value) -> GgufValue.integer(type, narrow(type, value))),
            floats.map(GgufValue::float32),
            doubles.map(GgufValue::float64),
            bools.map(GgufValue::bool),
            texts.map(GgufValue::string),
            bytes.map(GgufValue::string),
            Combinators.combine(integers, Arbitraries.longs().array(long[].class).ofMaxSize(20))
                .as((type, array) -> GgufValue.integers(type, narrow(type, array))),
            Arbitraries.integers().array(int[].class).ofMaxSize(20).map(GgufValue::int32s),
            floats.array(float[].class).ofMaxSize(20).map(GgufValue::float32s),
            doubles.array(double[].class).ofMaxSize(20).map(GgufValue::float64s),
            bools.array(boolean[].class).ofMaxSize(20).map(GgufValue::bools),
            texts.list().ofMaxSize(100).map(GgufValue::strings),
            bytes.list().ofMaxSize(100).map(GgufValue::byteStrings)));
  }

  private static long[] narrow(GgufType type, long[] values) {
    return Arrays.stream(values).map(value -> narrow(type, value)).toArray();
  }

  private static long narrow(GgufType type, long value) {
    return switch (type) {
      case UINT8 -> value & 0xFF;
      case INT8 -> (byte) value;
      case UINT16 -> value & 0xFFFF;
      case INT16 -> (short) value;
      case UINT32 -> value & 0xFFFFFFFFL;
      case INT32 -> (int) value;
      default -> value;
    };
  }

  @Provide
  Arbitrary<List<Tensor>> tensors() {
    return Combinators.combine(
            Arbitraries.of(TYPES),
            Arbitraries.longs().between(1, 3),
            Arbitraries.longs().between(1, 4).list().ofMaxSize(3),
            Arbitraries.longs())
        .as(GgufRoundTripTest::tensor)
        .list()
        .ofMaxSize(6)
        .map(GgufRoundTripTest::named);
  }

  private static Tensor tensor(TensorType type, long blocks, List<Long> others, long seed) {
    List<Long> shape = new ArrayList<>(others);
    shape.addFirst(blocks * type.blockLength());
    byte[] data = new byte[(int) GgufTensor.bytes(type, shape)];
    new Random(seed).nextBytes(data);
    return new Tensor("", type, shape, data);
  }

  private static List<Tensor> named(List<Tensor> tensors) {
    Map<TensorType, Integer> counts = new HashMap<>();
    return tensors.stream()
        .map(
            t -> {
              String name = "blk." + counts.merge(t.type(), 1, Integer::sum) + "." + t.type();
              return new Tensor(name, t.type(), t.shape(), t.data());
            })
        .toList();
  }

  /** 0 stands for the default, without a key. */
  @Provide
  Arbitrary<Integer> alignments() {
    return Arbitraries.of(0, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096);
  }
}
