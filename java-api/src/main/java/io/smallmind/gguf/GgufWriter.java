package io.smallmind.gguf;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.FileWriteException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes GGUF files, version 3, little-endian: first everything is announced, then {@link #write}
 * asks for the tensors' data one by one. Memory stays bounded, whatever the size of the file.
 *
 * <p>Keys and tensors come out in the order they went in, so that a file that was written here,
 * read, and written again is the same byte for byte. Not thread-safe.
 *
 * <p>Source: the GGUF specification in ggml's {@code docs/gguf.md}.
 */
public final class GgufWriter {
  /** Longer names stop other readers: ggml keeps 64 bytes, one of them for the final zero. */
  private static final int MAX_NAME_BYTES = 63;

  private static final int VERSION = 3;

  /** Gives the data of one tensor when its turn to be written comes. */
  @FunctionalInterface
  public interface Source {
    /**
     * Hands over all bytes of the tensor, in one piece or many; what it throws ends the writing,
     * and leaves no file behind.
     */
    void writeTo(Sink sink);
  }

  /** Takes the data of one tensor. */
  public interface Sink {
    /**
     * Appends bytes; the segment may be reused afterwards.
     *
     * @throws BadArgumentException if these are more bytes than the tensor has
     * @throws FileWriteException if the file can't be written
     */
    void write(MemorySegment bytes);

    /**
     * Appends zeros; many of them become a hole in the file, which takes no space on disk.
     *
     * @throws BadArgumentException if these are more bytes than the tensor has
     * @throws FileWriteException if the file can't be written
     */
    void writeZeros(long count);
  }

  private record Tensor(GgufTensor entry, Source source) {}

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();
  private final Set<String> tensorNames = new HashSet<>();

  /** Begins a file without keys and tensors. */
  public GgufWriter() {}

  /**
   * Sets a metadata value; a key that was set before keeps its place.
   *
   * @throws BadArgumentException if the key is empty, too long or no valid Unicode, or an array is
   *     longer than a reader would accept
   */
  public GgufWriter put(String key, GgufValue value) {
    checkName("metadata key", key, GgufParser.MAX_KEY_BYTES);
    if (value.length() > GgufParser.MAX_ARRAY_LENGTH) {
      throw new BadArgumentException(
          "metadata key "
              + Names.quote(key)
              + ": an array of "
              + value.length()
              + " elements; readers accept "
              + GgufParser.MAX_ARRAY_LENGTH
              + ": store it as a tensor");
    }
    if (metadata.size() >= GgufParser.MAX_KEYS && !metadata.containsKey(key)) {
      throw new BadArgumentException("more than " + GgufParser.MAX_KEYS + " metadata keys");
    }
    metadata.put(key, value);
    return this;
  }

  /** Sets a string, as {@link #put(String, GgufValue)}. */
  public GgufWriter put(String key, String value) {
    return put(key, GgufValue.string(value));
  }

  /** Sets an unsigned 32-bit integer, as {@link #put(String, GgufValue)}. */
  public GgufWriter put(String key, long value) {
    return put(key, GgufValue.uint32(value));
  }

  /** Sets a binary32 number, as {@link #put(String, GgufValue)}. */
  public GgufWriter put(String key, float value) {
    return put(key, GgufValue.float32(value));
  }

  /** Sets a truth value, as {@link #put(String, GgufValue)}. */
  public GgufWriter put(String key, boolean value) {
    return put(key, GgufValue.bool(value));
  }

  /** Sets all values of a file, in its order and types. */
  public GgufWriter putAll(GgufMetadata values) {
    for (String key : values.keys()) {
      put(key, values.value(key));
    }
    return this;
  }

  /** Removes a metadata value, if it was set. */
  public GgufWriter remove(String key) {
    metadata.remove(key);
    return this;
  }

  /**
   * Sets the alignment of the tensors' data, in bytes (default 32), by its metadata key.
   *
   * @throws BadArgumentException if it is no power of two from 8 bytes to 2 MiB
   */
  public GgufWriter alignment(int bytes) {
    checkAlignment(bytes);
    return put(GgufParser.ALIGNMENT_KEY, bytes);
  }

  /**
   * Announces a tensor.
   *
   * @param name 1 to 63 bytes of UTF-8, unique
   * @param shape lengths of 1 to 4 dimensions in elements, the fastest-varying first
   * @param source gives exactly the tensor's bytes when {@link #write} asks
   * @throws BadArgumentException if the name or shape can't be, or a row is no whole number of the
   *     type's blocks
   */
  public GgufWriter tensor(String name, TensorType type, List<Long> shape, Source source) {
    add(name, type, shape, source);
    return this;
  }

  /**
   * Announces a tensor whose data is at hand; the segment must stay alive until {@link #write}.
   *
   * @throws BadArgumentException as the other form, or if the segment has another size
   */
  public GgufWriter tensor(String name, TensorType type, List<Long> shape, MemorySegment data) {
    long bytes = add(name, type, shape, sink -> sink.write(data)).bytes();
    if (data.byteSize() != bytes) {
      tensors.removeLast();
      tensorNames.remove(name);
      throw new BadArgumentException(
          "tensor "
              + Names.quote(name)
              + " takes "
              + bytes
              + " bytes, but the segment has "
              + data.byteSize());
    }
    return this;
  }

  /**
   * Announces a tensor to be copied from another file, which must stay open until {@link #write}.
   *
   * @throws BadArgumentException as the other form, or if the tensor is not of that file
   */
  public GgufWriter tensor(GgufFile file, GgufTensor tensor) {
    file.data(tensor);
    return tensor(
        tensor.name(),
        tensor.type(),
        tensor.shape(),
        sink -> {
          file.acquire();
          try {
            sink.write(file.data(tensor));
          } finally {
            file.release();
          }
        });
  }

  private GgufTensor add(String name, TensorType type, List<Long> shape, Source source) {
    checkName("tensor name", name, MAX_NAME_BYTES);
    String what = "tensor " + Names.quote(name);
    if (tensors.size() >= GgufParser.MAX_TENSORS) {
      throw new BadArgumentException("more than " + GgufParser.MAX_TENSORS + " tensors");
    }
    if (shape.isEmpty() || shape.size() > GgufParser.MAX_DIMENSIONS) {
      throw new BadArgumentException(
          what + " has " + shape.size() + " dimensions; give it 1 to " + GgufParser.MAX_DIMENSIONS);
    }
    for (long dimension : shape) {
      if (dimension < 1) {
        throw new BadArgumentException(what + " has shape " + shape + "; lengths begin at 1");
      }
    }
    GgufTensor tensor;
    try {
      tensor = new GgufTensor(name, type, shape, 0, GgufTensor.bytes(type, shape));
    } catch (ArithmeticException e) {
      throw new BadArgumentException(what + " of shape " + shape + " passes 2^63", e);
    } catch (BadArgumentException e) {
      throw new BadArgumentException(what + ": " + e.getMessage(), e);
    }
    if (!tensorNames.add(name)) {
      throw new BadArgumentException(what + " was added twice; rename one");
    }
    tensors.add(new Tensor(tensor, source));
    return tensor;
  }

  private static void checkName(String what, String name, int maxBytes) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < 1 || bytes.length > maxBytes) {
      throw new BadArgumentException(
          what + " " + Names.quote(name) + " has " + bytes.length + " bytes, not 1 to " + maxBytes);
    }
    if (!new String(bytes, StandardCharsets.UTF_8).equals(name)) {
      throw new BadArgumentException(what + " " + Names.quote(name) + " is no valid Unicode");
    }
  }

  private static void checkAlignment(long bytes) {
    if (bytes < GgufParser.MIN_ALIGNMENT
        || bytes > GgufParser.MAX_ALIGNMENT
        || Long.bitCount(bytes) != 1) {
      throw new BadArgumentException(
          GgufParser.ALIGNMENT_KEY
              + " = "
              + bytes
              + " is no power of two from "
              + GgufParser.MIN_ALIGNMENT
              + " to "
              + GgufParser.MAX_ALIGNMENT);
    }
  }

  /**
   * Writes the file: under another name beside the target first, which then takes the target's
   * place in one step. Whoever has an older file of this name open keeps it whole, and a failure
   * leaves it untouched.
   *
   * @throws FileWriteException if the disk is full, or the folder absent or not writable
   * @throws BadArgumentException if a source gives another number of bytes than its tensor has, or
   *     the metadata takes more than a reader would accept
   */
  public void write(Path target) {
    Path name = target.getFileName();
    if (name == null || Files.isDirectory(target)) {
      throw new FileWriteException(target + ": a folder; name a .gguf file");
    }
    String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong());
    Path temporary = target.resolveSibling("." + name + "." + suffix + ".tmp");
    boolean done = false;
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        write(channel, target.toString());
        channel.force(true);
      }
      move(temporary, target);
      done = true;
    } catch (NoSuchFileException e) {
      throw new FileWriteException(target + ": its folder doesn't exist; create it", e);
    } catch (IOException e) {
      throw failure(target.toString(), e);
    } finally {
      if (!done) {
        deleteQuietly(temporary);
      }
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The failure that led here is what the caller must see.
    }
  }

  /** Writes the file to a channel; errors name the target. */
  void write(WritableByteChannel channel, String target) throws IOException {
    try (GgufOutput out = new GgufOutput(channel)) {
      write(out, target);
    }
  }

  private void write(GgufOutput out, String target) throws IOException {
    long alignment = alignment();
    out.putInt(GgufParser.MAGIC);
    out.putInt(VERSION);
    out.putLong(tensors.size());
    out.putLong(metadata.size());
    for (Map.Entry<String, GgufValue> entry : metadata.entrySet()) {
      putString(out, entry.getKey());
      putValue(out, entry.getValue());
    }
    long offset = 0;
    for (Tensor tensor : tensors) {
      GgufTensor entry = tensor.entry();
      putString(out, entry.name());
      out.putInt(entry.shape().size());
      for (long dimension : entry.shape()) {
        out.putLong(dimension);
      }
      out.putInt(entry.type().ggufId());
      out.putLong(offset);
      offset = next(offset, entry, alignment);
    }
    if (out.position() > GgufParser.MAX_HEADER_BYTES) {
      throw new BadArgumentException(
          "metadata of "
              + out.position()
              + " bytes; readers accept "
              + GgufParser.MAX_HEADER_BYTES
              + ": shorten it");
    }
    for (Tensor tensor : tensors) {
      pad(out, alignment);
      putData(out, tensor, target);
    }
    if (!tensors.isEmpty()) {
      pad(out, alignment);
    }
    out.finish();
  }

  private long alignment() {
    GgufValue value = metadata.get(GgufParser.ALIGNMENT_KEY);
    if (value == null) {
      return GgufParser.DEFAULT_ALIGNMENT;
    }
    if (!value.type().isInteger()) {
      throw new BadArgumentException(
          GgufParser.ALIGNMENT_KEY + " must be an integer, not " + value.describeType());
    }
    checkAlignment(value.integerAt(0));
    return value.integerAt(0);
  }

  private static long next(long offset, GgufTensor tensor, long alignment) {
    try {
      return Math.addExact(Math.addExact(offset, tensor.bytes()), alignment - 1) & -alignment;
    } catch (ArithmeticException e) {
      throw new BadArgumentException(
          "tensor " + Names.quote(tensor.name()) + " takes the file past 2^63 bytes", e);
    }
  }

  private static void pad(GgufOutput out, long alignment) throws IOException {
    out.putZeros(-out.position() & (alignment - 1));
  }

  private static void putString(GgufOutput out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.putLong(bytes.length);
    out.putBytes(bytes, 0, bytes.length);
  }

  private static void putValue(GgufOutput out, GgufValue value) throws IOException {
    out.putInt(value.type().id());
    if (value.isArray()) {
      out.putInt(value.scalarType().id());
      out.putLong(value.length());
    }
    byte[] data = value.data();
    if (value.scalarType() != GgufType.STRING) {
      out.putBytes(data, 0, data.length);
      return;
    }
    int begin = 0;
    for (int i = 0; i < value.length(); i++) {
      int end = begin + value.stringBytes(i);
      out.putLong(end - begin);
      out.putBytes(data, begin, end);
      begin = end;
    }
  }

  private static void putData(GgufOutput out, Tensor tensor, String target) {
    TensorSink sink = new TensorSink(out, tensor.entry(), target);
    tensor.source().writeTo(sink);
    if (sink.left != 0) {
      throw sink.misfit("its source gave " + sink.left + " less");
    }
  }

  private static FileWriteException failure(String target, IOException e) {
    return new FileWriteException(
        target + ": can't be written (" + e + "); check disk space and permissions", e);
  }

  /** Passes on at most the bytes of one tensor. */
  private static final class TensorSink implements Sink {
    private final GgufOutput out;
    private final GgufTensor tensor;
    private final String target;
    private long left;

    TensorSink(GgufOutput out, GgufTensor tensor, String target) {
      this.out = out;
      this.tensor = tensor;
      this.target = target;
      this.left = tensor.bytes();
    }

    @Override
    public void write(MemorySegment bytes) {
      take(bytes.byteSize());
      try {
        out.put(bytes);
      } catch (IOException e) {
        throw failure(target, e);
      }
    }

    @Override
    public void writeZeros(long count) {
      take(count);
      try {
        out.putZeros(count);
      } catch (IOException e) {
        throw failure(target, e);
      }
    }

    private void take(long count) {
      if (count < 0 || count > left) {
        throw misfit("its source gave " + count + " where " + left + " were left");
      }
      left -= count;
    }

    BadArgumentException misfit(String problem) {
      return new BadArgumentException(
          "tensor "
              + Names.quote(tensor.name())
              + " takes "
              + tensor.bytes()
              + " bytes, but "
              + problem);
    }
  }
}
