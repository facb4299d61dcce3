package io.smallmind.gguf;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and checks everything of a GGUF file but the tensors' data. Used once, by one thread.
 *
 * <p>The file may be hostile. Time and memory stay within a small multiple of the bytes that the
 * header really has, whatever its counts claim: lengths are checked against the bytes left before
 * anything is allocated by them, lists grow as they are read, and no count or length is read twice
 * (the file may change underneath). All offsets are in bytes from the start of the file.
 */
final class GgufParser {
  /**
   * Metadata and tensor entries end within this many bytes; several times what the largest
   * vocabularies take. Without it, a sparse file could fill the heap at no cost.
   */
  static final long MAX_HEADER_BYTES = 128L << 20;

  /** The longest known, the merges of the largest vocabularies, have half a million. */
  static final int MAX_ARRAY_LENGTH = 1 << 22;

  static final int MAX_KEYS = 1 << 16;
  static final int MAX_TENSORS = 1 << 18;

  /** From the specification. */
  static final int MAX_KEY_BYTES = (1 << 16) - 1;

  /** ggml itself stops at 63. */
  static final int MAX_NAME_BYTES = 1024;

  static final int MAX_DIMENSIONS = 4;
  static final int DEFAULT_ALIGNMENT = 32;

  /** The specification's: alignments are multiples of 8. */
  static final int MIN_ALIGNMENT = 8;

  /** A huge page: more would only pad. */
  static final int MAX_ALIGNMENT = 2 << 20;

  static final String ALIGNMENT_KEY = "general.alignment";

  /** "GGUF" */
  static final int MAGIC = 0x46554747;

  /** Type numbers that ggml gave up, or never gave: no reader will ever take them. */
  private static final List<Long> WITHDRAWN_TYPES = List.of(4L, 5L, 31L, 32L, 33L, 36L, 37L, 38L);

  /** Type numbers below this may yet be given; above is garbage. */
  private static final long PLAUSIBLE_TYPES = 128;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final String DAMAGED = "; the file is damaged or incomplete: fetch it again";
  private static final String CONVERT = "; convert the model again with a current converter";

  private final MemorySegment file;
  private final String fileName;

  /** Size of the file, or the cap on the header if that is less. */
  private final long limit;

  private long position;

  /** What errors are about, by parts, since most files have none: "tensor", and its name. */
  private String subject = "";

  private String subjectName = "";

  private int version;
  private int alignment = DEFAULT_ALIGNMENT;
  private final LinkedHashMap<String, GgufMetadata.Entry> metadata = new LinkedHashMap<>();
  private final List<GgufTensor> tensors = new ArrayList<>();
  private final Map<String, GgufTensor> tensorsByName = new HashMap<>();

  GgufParser(MemorySegment file, String fileName) {
    this.file = file;
    this.fileName = fileName;
    this.limit = Math.min(file.byteSize(), MAX_HEADER_BYTES);
  }

  int version() {
    return version;
  }

  int alignment() {
    return alignment;
  }

  GgufMetadata metadata() {
    return new GgufMetadata(fileName, metadata);
  }

  List<GgufTensor> tensors() {
    return Collections.unmodifiableList(tensors);
  }

  Map<String, GgufTensor> tensorsByName() {
    return tensorsByName;
  }

  void parse() {
    readMagicAndVersion();
    long tensorCountAt = position;
    long tensorCount = readLong("tensor count");
    long keyCountAt = position;
    long keyCount = readLong("metadata count");
    checkCount(tensorCount, MAX_TENSORS, "tensor count", tensorCountAt);
    checkCount(keyCount, MAX_KEYS, "metadata count", keyCountAt);
    for (long i = 0; i < keyCount; i++) {
      readKeyValue();
    }
    readAlignment();
    List<Entry> entries = new ArrayList<>();
    for (long i = 0; i < tensorCount; i++) {
      entries.add(readTensor());
    }
    placeTensors(entries);
  }

  private void readMagicAndVersion() {
    int magic = readInt("magic");
    if (magic != MAGIC) {
      String hint =
          switch (magic) {
            case 0x67676a74, 0x67676d66, 0x67676d6c -> // ggjt, ggmf, ggml
                "a model in a format older than GGUF" + CONVERT;
            default -> "no GGUF file; name a .gguf file, or convert the model to GGUF";
          };
      throw bad("magic", 0, "0x%08x: ".formatted(Integer.reverseBytes(magic)) + hint);
    }
    long at = position;
    version = readInt("version");
    if (version == 2 || version == 3) {
      return;
    }
    String field = Integer.toUnsignedString(version);
    if (version == 1) {
      throw unsupported("version", at, field + " is not supported, only 2 and 3 are" + CONVERT);
    }
    int swapped = Integer.reverseBytes(version);
    if (swapped >= 1 && swapped <= 0xFFFF && version != swapped) {
      throw unsupported(
          "version",
          at,
          field + ": a big-endian file; convert it with gguf_convert_endian.py of llama.cpp");
    }
    if (version >= 4 && version <= 0xFFFF) {
      throw unsupported("version", at, field + " is newer than this library; update it");
    }
    throw bad("version", at, field + " doesn't exist" + DAMAGED);
  }

  private void readKeyValue() {
    long at = position;
    readSubject("metadata key", MAX_KEY_BYTES);
    String key = subjectName;
    GgufType type = readType("type");
    GgufValue value = type == GgufType.ARRAY ? readArray() : readScalar(type);
    if (metadata.put(key, new GgufMetadata.Entry(value, at)) != null) {
      throw bad("name", at, "it is there twice" + CONVERT);
    }
  }

  private GgufType readType(String field) {
    long at = position;
    long id = Integer.toUnsignedLong(readInt(field));
    GgufType type = GgufType.byId(id);
    if (type == null) {
      throw bad(field, at, "there is no value type " + id + DAMAGED);
    }
    return type;
  }

  private GgufValue readScalar(GgufType type) {
    long at = position;
    if (type == GgufType.STRING) {
      long bytes = readLong("length");
      return new GgufValue(type, null, 1, readBytes(bytes, "length", at), null);
    }
    byte[] data = readBytes(type.bytes(), "value", at);
    checkBools(type, data, at);
    return new GgufValue(type, null, 1, data, null);
  }

  private GgufValue readArray() {
    long typeAt = position;
    GgufType type = readType("element type");
    if (type == GgufType.ARRAY) {
      throw bad("element type", typeAt, "an array of arrays, which no model has" + CONVERT);
    }
    long lengthAt = position;
    long length = readLong("array length");
    int elementBytes = type == GgufType.STRING ? Long.BYTES : type.bytes();
    if (Long.compareUnsigned(length, (limit - position) / elementBytes) > 0) {
      throw bad(
          "array length",
          lengthAt,
          Long.toUnsignedString(length) + " elements pass " + limitName());
    }
    checkCount(length, MAX_ARRAY_LENGTH, "array length", lengthAt);
    if (type == GgufType.STRING) {
      return readStrings((int) length);
    }
    long at = position;
    byte[] data = readBytes(length * elementBytes, "values", at);
    checkBools(type, data, at);
    return new GgufValue(GgufType.ARRAY, type, (int) length, data, null);
  }

  private GgufValue readStrings(int length) {
    long from = position;
    int[] ends = new int[length]; // at most half the bytes that are there for the lengths
    int total = 0;
    for (int i = 0; i < length; i++) {
      long lengthAt = position;
      long bytes = readLong("string length");
      checkLength(bytes, "string length", lengthAt);
      position += bytes;
      total += (int) bytes; // within the header's cap, so within an int
      ends[i] = total;
    }
    byte[] data = new byte[total];
    for (int i = 0; i < length; i++) {
      int begin = i == 0 ? 0 : ends[i - 1];
      from += Long.BYTES;
      MemorySegment.copy(file, ValueLayout.JAVA_BYTE, from, data, begin, ends[i] - begin);
      from += ends[i] - begin;
    }
    return new GgufValue(GgufType.ARRAY, GgufType.STRING, length, data, ends);
  }

  private void checkBools(GgufType type, byte[] data, long at) {
    if (type != GgufType.BOOL) {
      return;
    }
    for (int i = 0; i < data.length; i++) {
      if (data[i] != 0 && data[i] != 1) {
        throw bad("value", at + i, "a bool is 0 or 1, not " + (data[i] & 0xFF) + DAMAGED);
      }
    }
  }

  private void readAlignment() {
    GgufMetadata.Entry entry = metadata.get(ALIGNMENT_KEY);
    if (entry == null) {
      return;
    }
    GgufMetadata checked = metadata();
    long value = checked.integer(ALIGNMENT_KEY, MIN_ALIGNMENT, MAX_ALIGNMENT);
    if (Long.bitCount(value) != 1) {
      subjectName = ALIGNMENT_KEY;
      throw bad("value", entry.offset(), value + " is no power of two" + CONVERT);
    }
    alignment = (int) value;
  }

  /** A tensor before the start of the data section is known; offset counts from there. */
  private record Entry(GgufTensor tensor, long position) {}

  private Entry readTensor() {
    long at = position;
    readSubject("tensor", MAX_NAME_BYTES);
    String name = subjectName;
    long dimensionsAt = position;
    int dimensions = readInt("dimension count");
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw bad(
          "dimension count",
          dimensionsAt,
          Integer.toUnsignedString(dimensions) + " is not from 1 to " + MAX_DIMENSIONS + DAMAGED);
    }
    long shapeAt = position;
    Long[] shape = new Long[dimensions];
    for (int i = 0; i < dimensions; i++) {
      shape[i] = readLong("shape");
      if (shape[i] < 1) {
        throw bad(
            "shape",
            shapeAt,
            "dimension " + i + " is " + Long.toUnsignedString(shape[i]) + DAMAGED);
      }
    }
    TensorType type = readTensorType();
    List<Long> dims = List.of(shape);
    long bytes;
    try {
      bytes = GgufTensor.bytes(type, dims);
    } catch (ArithmeticException e) {
      throw bad("shape", shapeAt, dims + " passes 2^63" + DAMAGED);
    } catch (BadArgumentException e) {
      throw bad("shape", shapeAt, e.getMessage() + CONVERT);
    }
    long offsetAt = position;
    long offset = readLong("offset");
    if (offset < 0) {
      throw bad(
          "offset", offsetAt, Long.toUnsignedString(offset) + " passes any file's end" + DAMAGED);
    }
    if (offset % alignment != 0) {
      throw bad(
          "offset", offsetAt, offset + " is no multiple of the alignment " + alignment + DAMAGED);
    }
    return new Entry(new GgufTensor(name, type, dims, offset, bytes), at);
  }

  private TensorType readTensorType() {
    long at = position;
    long id = Integer.toUnsignedLong(readInt("type"));
    TensorType type = TensorType.byGgufId(id);
    if (type != null) {
      return type;
    }
    if (WITHDRAWN_TYPES.contains(id) || id >= PLAUSIBLE_TYPES) {
      throw bad("type", at, "there is no tensor type " + id + CONVERT);
    }
    throw unsupported(
        "type",
        at,
        "tensor type "
            + id
            + " is not known here; update this library, or quantize the model to one of "
            + TensorType.supported());
  }

  /** Turns offsets into offsets of the file, and checks that no tensor leaves it or overlaps. */
  private void placeTensors(List<Entry> entries) {
    long size = file.byteSize();
    long dataStart = Math.addExact(position, alignment - 1) & -(long) alignment;
    subject = "tensor";
    for (Entry entry : entries) {
      GgufTensor relative = entry.tensor();
      subjectName = relative.name();
      if (relative.bytes() > size - dataStart
          || relative.offset() > size - dataStart - relative.bytes()) {
        throw bad(
            "data",
            entry.position(),
            relative.bytes()
                + " bytes at data offset "
                + relative.offset()
                + " pass the end of the file, which has "
                + Math.max(0, size - dataStart)
                + " bytes of data"
                + DAMAGED);
      }
      GgufTensor tensor =
          new GgufTensor(
              relative.name(),
              relative.type(),
              relative.shape(),
              dataStart + relative.offset(),
              relative.bytes());
      tensors.add(tensor);
      if (tensorsByName.put(tensor.name(), tensor) != null) {
        throw bad("name", entry.position(), "it is there twice" + CONVERT);
      }
    }
    GgufTensor[] byOffset = tensors.toArray(GgufTensor[]::new);
    Arrays.sort(byOffset, Comparator.comparingLong(GgufTensor::offset));
    for (int i = 1; i < byOffset.length; i++) {
      GgufTensor before = byOffset[i - 1];
      if (before.offset() + before.bytes() > byOffset[i].offset()) {
        subjectName = byOffset[i].name();
        throw bad(
            "data",
            byOffset[i].offset(),
            "it overlaps tensor " + Names.quote(before.name()) + DAMAGED);
      }
    }
  }

  // ---- Reading with checks

  /** Reads a key or name, 1 to max bytes of valid UTF-8, which errors are about from then on. */
  private void readSubject(String kind, int max) {
    subject = kind;
    subjectName = "";
    long at = position;
    long length = readLong("length of its name");
    checkLength(length, "length of its name", at);
    if (length < 1 || length > max) {
      throw bad("length of its name", at, length + " bytes are not from 1 to " + max + DAMAGED);
    }
    byte[] bytes = readBytes(length, "name", at);
    String name = new String(bytes, StandardCharsets.UTF_8);
    // Names that differ in invalid bytes only would become the same string.
    if (!Arrays.equals(name.getBytes(StandardCharsets.UTF_8), bytes)) {
      throw bad("name", at, Names.quote(name) + " is not valid UTF-8" + DAMAGED);
    }
    subjectName = name;
  }

  private byte[] readBytes(long length, String field, long at) {
    checkLength(length, field, at);
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, position, bytes, 0, bytes.length);
    position += length;
    return bytes;
  }

  private int readInt(String field) {
    checkLength(Integer.BYTES, field, position);
    int value = file.get(INT, position);
    position += Integer.BYTES;
    return value;
  }

  private long readLong(String field) {
    checkLength(Long.BYTES, field, position);
    long value = file.get(LONG, position);
    position += Long.BYTES;
    return value;
  }

  /** Checks that this many bytes (unsigned) are left; afterwards the length fits an int. */
  private void checkLength(long length, String field, long at) {
    if (Long.compareUnsigned(length, limit - position) > 0) {
      throw bad(field, at, Long.toUnsignedString(length) + " bytes pass " + limitName());
    }
  }

  private void checkCount(long count, int max, String field, long at) {
    if (Long.compareUnsigned(count, max) > 0) {
      throw bad(
          field, at, Long.toUnsignedString(count) + " is more than the sane " + max + DAMAGED);
    }
  }

  private String limitName() {
    return limit == file.byteSize()
        ? "the end of the file at byte " + limit + DAMAGED
        : "byte " + limit + ", the most a header may take" + DAMAGED;
  }

  private BadModelFileException bad(String field, long at, String problem) {
    return new BadModelFileException(message(field, at, problem));
  }

  private UnsupportedFormatException unsupported(String field, long at, String problem) {
    return new UnsupportedFormatException(message(field, at, problem));
  }

  private String message(String field, long at, String problem) {
    StringBuilder text = new StringBuilder(fileName).append(": ");
    if (!subject.isEmpty()) {
      text.append(subject);
      if (!subjectName.isEmpty()) {
        text.append(' ').append(Names.quote(subjectName));
      }
      text.append(", ");
    }
    return text.append(field + " at byte " + at + ": " + problem).toString();
  }
}
