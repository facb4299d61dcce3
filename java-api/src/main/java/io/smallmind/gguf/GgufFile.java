package io.smallmind.gguf;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.OutOfMemoryException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.tensor.Lifetime;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An open GGUF file, versions 2 and 3, little-endian: its metadata and tensors, checked, and its
 * data, mapped into memory and never copied. Files of any size open at once. A model that was cut
 * into several files is opened by the first of them, and is then like one file.
 *
 * <p>Nothing in the file is trusted: counts, lengths, types, offsets and sizes are checked when it
 * opens, so that every tensor listed lies within the file and overlaps no other. Values inside the
 * tensors are not looked at.
 *
 * <p>Thread-safe. Kernels read the mapping by its address, so whoever starts them on {@link #data}
 * or {@link #matrix} must hold the file by {@link #acquire()} and {@link #release()}; {@link
 * #close()} takes effect when the last holder lets go. Other processes can't be held off: if one
 * <em>truncates</em> the file in place while it is mapped, reading the lost pages is an {@link
 * InternalError} in Java, and the end of the JVM in native code (SIGBUS). Replace a model file by
 * renaming a new one over it, as {@link GgufWriter} does.
 *
 * <p>Source: the GGUF specification in ggml's {@code docs/gguf.md}, and the checks of {@code
 * gguf.cpp}.
 */
public final class GgufFile implements AutoCloseable {
  private final Path path;
  private final MemorySegment mapping;
  private final Lifetime lifetime;
  private final FileTime changed;
  private final int version;
  private final int alignment;
  private final GgufMetadata metadata;
  private final List<GgufTensor> tensors;
  private final Map<String, GgufTensor> tensorsByName;

  /** The other parts of a model that was cut into several files, which this one owns. */
  private final List<GgufFile> others;

  /** Joins the parts of a model. */
  private GgufFile(GgufFile first, List<GgufFile> others) {
    path = first.path;
    mapping = first.mapping;
    changed = others.stream().map(each -> each.changed).reduce(first.changed, GgufFile::later);
    version = first.version;
    alignment = first.alignment;
    metadata = first.metadata.without(GgufParts.KEYS);
    this.others = others;
    List<GgufTensor> all = new ArrayList<>(first.tensors);
    tensorsByName = new HashMap<>(first.tensorsByName);
    for (GgufFile other : others) {
      all.addAll(other.tensors);
      tensorsByName.putAll(other.tensorsByName);
    }
    tensors = Collections.unmodifiableList(all);
    lifetime =
        new Lifetime(
            path.toString(),
            () -> {
              others.forEach(GgufFile::close);
              first.close();
            });
  }

  private GgufFile(
      Path path, MemorySegment mapping, FileTime changed, Lifetime lifetime, GgufParser parser) {
    this.changed = changed;
    this.path = path;
    this.mapping = mapping;
    this.lifetime = lifetime;
    this.version = parser.version();
    this.alignment = parser.alignment();
    this.metadata = parser.metadata();
    this.tensors = parser.tensors();
    this.tensorsByName = parser.tensorsByName();
    others = List.of();
  }

  /**
   * Maps and checks a file, and the other parts of its model if it is the first of several.
   *
   * @throws BadModelFileException if it can't be read, or breaks the format, or if a part of its
   *     model is missing or of another one
   * @throws UnsupportedFormatException if it is a GGUF file of a kind not handled here: version 1,
   *     big-endian, or with tensor types that are newer than this library
   * @throws OutOfMemoryException if the operating system refuses the address space
   */
  public static GgufFile open(Path path) {
    GgufFile first = openPart(path);
    try {
      int count = GgufParts.count(first);
      return count == 1 ? first : new GgufFile(first, GgufParts.openOthers(first, count));
    } catch (Throwable e) {
      first.close();
      throw e;
    }
  }

  /** Maps and checks a file, whatever it says of other parts. */
  static GgufFile openPart(Path path) {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new BadModelFileException(path + ": not a regular file; name a .gguf file");
    }
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      FileTime changed = Files.getLastModifiedTime(path);
      GgufFile file = read(mapping, path, changed, arena::close);
      opened = true;
      return file;
    } catch (NoSuchFileException e) {
      throw new BadModelFileException(path + ": no such file; check the path", e);
    } catch (AccessDeniedException e) {
      throw new BadModelFileException(path + ": may not be read; check its permissions", e);
    } catch (IOException e) {
      if (e.getCause() instanceof OutOfMemoryError) { // how FileChannel reports a refused mapping
        throw noMemory(path, e);
      }
      throw new BadModelFileException(
          path + ": can't be read (" + e.getMessage() + "); check the disk", e);
    } catch (UnsupportedOperationException e) {
      throw new BadModelFileException(
          path + ": its file system can't map files; copy it to an ordinary disk", e);
    } catch (OutOfMemoryError e) {
      throw noMemory(path, e);
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private static OutOfMemoryException noMemory(Path path, Throwable cause) {
    return new OutOfMemoryException(
        path + ": no memory to open it; raise -Xmx or the process's address space limit", cause);
  }

  /** Checks an image of a file; the segment must outlive the result. */
  static GgufFile parse(MemorySegment image, Path path) {
    return read(image, path, FileTime.fromMillis(0), () -> {});
  }

  private static GgufFile read(MemorySegment mapping, Path path, FileTime changed, Runnable free) {
    GgufParser parser = new GgufParser(mapping, path.toString());
    try {
      parser.parse();
    } catch (InternalError e) { // how Java reports pages that are mapped but gone
      throw new BadModelFileException(
          path + ": was cut short while being read; wait for its writer, then open it again", e);
    }
    return new GgufFile(
        path, mapping.asReadOnly(), changed, new Lifetime(path.toString(), free), parser);
  }

  /** Returns the path it was opened by. */
  public Path path() {
    return path;
  }

  /** Returns the size of the file, in bytes; of all files, if there are several parts. */
  public long size() {
    long size = mapping.byteSize();
    for (GgufFile other : others) {
      size += other.size();
    }
    return size;
  }

  private static FileTime later(FileTime a, FileTime b) {
    return a.compareTo(b) < 0 ? b : a;
  }

  /** Returns when it was last changed before it was opened; the latest of several parts. */
  public FileTime changed() {
    return changed;
  }

  /** Returns the format's version: 2 or 3. */
  public int version() {
    return version;
  }

  /** Returns the alignment of the tensors, in bytes: a power of two. */
  public int alignment() {
    return alignment;
  }

  /** Returns the metadata; usable after close. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** Returns all tensors in the order the file lists them; usable after close. */
  public List<GgufTensor> tensors() {
    return tensors;
  }

  /**
   * Returns the tensor of this name.
   *
   * @throws BadModelFileException if there is none
   */
  public GgufTensor tensor(String name) {
    GgufTensor tensor = tensorsByName.get(name);
    if (tensor == null) {
      throw new BadModelFileException(
          path
              + ": no tensor "
              + Names.quote(name)
              + " among "
              + tensors.size()
              + Names.suggest(name, tensorsByName.keySet())
              + "; convert the model again with a current converter");
    }
    return tensor;
  }

  /** Returns the tensor of this name, or null if there is none. */
  public @Nullable GgufTensor findTensor(String name) {
    return tensorsByName.get(name);
  }

  /**
   * Returns the data of one of this file's tensors: its bytes within the mapping, read-only.
   *
   * @throws BadArgumentException if the tensor is not of this file
   * @throws ClosedException if the file was closed
   */
  public MemorySegment data(GgufTensor tensor) {
    if (!tensor.equals(tensorsByName.get(tensor.name()))) {
      throw new BadArgumentException(
          path + ": " + tensor + " is not from this file; take it from tensors()");
    }
    if (lifetime.isClosed()) {
      throw new ClosedException(path + " was closed; open it anew");
    }
    for (GgufFile other : others) {
      if (other.tensorsByName.containsKey(tensor.name())) {
        return other.data(tensor);
      }
    }
    return mapping.asSlice(tensor.offset(), tensor.bytes());
  }

  /**
   * Returns one of this file's tensors as a matrix over the mapping: (rows, columns), where the
   * first dimension is a row, and all others, flattened, count rows.
   *
   * @throws BadArgumentException if the tensor is not of this file
   * @throws ClosedException if the file was closed
   */
  public Matrix matrix(GgufTensor tensor) {
    return Matrix.of(data(tensor), tensor.type(), tensor.rows(), tensor.columns());
  }

  /**
   * Gives the pages that were read back to the system, which keeps them in its cache: for who has
   * copied what it needs. Everything can still be read.
   *
   * @throws ClosedException if the file was closed
   */
  public void dropPages() {
    acquire();
    try {
      if (mapping.isMapped()) {
        Memory.dropPages(mapping);
      }
      others.forEach(GgufFile::dropPages);
    } finally {
      release();
    }
  }

  /**
   * Keeps the file mapped until {@link #release()}.
   *
   * @throws ClosedException if it was closed
   */
  public void acquire() {
    lifetime.acquire();
  }

  /** Lets go of what {@link #acquire()} held. */
  public void release() {
    lifetime.release();
  }

  /** Tells whether {@link #close()} was called. */
  public boolean isClosed() {
    return lifetime.isClosed();
  }

  /** Unmaps the file as soon as nobody holds it; closing twice does nothing. */
  @Override
  public void close() {
    lifetime.close();
  }

  @Override
  public String toString() {
    return path + " (GGUF v" + version + ", " + tensors.size() + " tensors)";
  }
}
