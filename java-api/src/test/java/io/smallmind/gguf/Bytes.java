package io.smallmind.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Puts together files byte by byte, however wrong, and passes files through memory. */
public final class Bytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Begins a file of version 3 with these counts. */
  static Bytes header(long tensors, long keys) {
    return new Bytes().int32(GgufParser.MAGIC).int32(3).int64(tensors).int64(keys);
  }

  Bytes int8(int value) {
    out.write(value);
    return this;
  }

  Bytes int32(int value) {
    byte[] bytes = new byte[Integer.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(value);
    return raw(bytes);
  }

  Bytes int64(long value) {
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    return raw(bytes);
  }

  Bytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  Bytes string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return int64(bytes.length).raw(bytes);
  }

  /** Appends a key and the type of its value. */
  Bytes key(String key, GgufType type) {
    return string(key).int32(type.id());
  }

  /** Appends a tensor entry. */
  Bytes tensor(String name, int type, long offset, long... shape) {
    string(name).int32(shape.length);
    for (long dimension : shape) {
      int64(dimension);
    }
    return int32(type).int64(offset);
  }

  /** Pads to a multiple of 32 bytes, and appends so many more. */
  Bytes data(int bytes) {
    return raw(new byte[-out.size() & 31]).raw(new byte[bytes]);
  }

  byte[] toArray() {
    return out.toByteArray();
  }

  GgufFile parse() {
    return parse(toArray());
  }

  static GgufFile parse(byte[] image) {
    return parse(MemorySegment.ofArray(image));
  }

  /** Reads a file's image, which must stay. */
  public static GgufFile parse(MemorySegment image) {
    return GgufFile.parse(image, Path.of("memory.gguf"));
  }

  static byte[] write(GgufWriter writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writer.write(Channels.newChannel(bytes), "memory.gguf");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Returns a writer that holds all of a file. */
  static GgufWriter copy(GgufFile file) {
    GgufWriter writer = new GgufWriter().putAll(file.metadata());
    for (GgufTensor tensor : file.tensors()) {
      writer.tensor(file, tensor);
    }
    return writer;
  }
}
