package io.smallmind.model;

import io.smallmind.error.FileWriteException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.model.PackedHeader.Entry;
import io.smallmind.model.PackedHeader.UnusableException;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.MemoryPool;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The packed weights of a model in a file beside it, one for each backend: who loads the model
 * again maps them, which takes neither packing nor memory that was not touched before, and which
 * processes share. {@link PackedHeader} tells the format.
 *
 * <p>Nothing in the file is trusted. It is used only if its checksums are right; if it was made of
 * a model of this size and time of change (to the second), for this version of the backend's
 * layout; and, matrix by matrix, if its shape is the wanted one, and its first and last rows are
 * what packing gives now. Otherwise weights are packed, and the file is written anew. Not
 * thread-safe. A thread that was interrupted before reads and writes it all the same; one that is
 * interrupted meanwhile packs anew, or fails to write.
 */
final class PackedFile implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.smallmind.model");

  /**
   * Bytes written at once: Linux keeps a file in memory by pages as large as it was written in, and
   * maps them so.
   */
  private static final int WRITE_BYTES = 16 << 20;

  /** What was not changed for so long is nobody's who still writes. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private final Path path;
  private final GgufFile model;
  private final Kernels kernels;
  private final Team team;

  private @Nullable Arena arena;
  private MemorySegment mapping = MemorySegment.NULL;
  private List<Entry> entries = List.of();

  private final List<String> names = new ArrayList<>();
  private final List<PackedWeights> weights = new ArrayList<>();
  private boolean isCurrent;

  /**
   * Maps and checks the file if there is one.
   *
   * @param model open as long as this
   */
  PackedFile(GgufFile model, Kernels kernels, Team team) {
    this.model = model;
    this.kernels = kernels;
    this.team = team;
    path = beside(model.path(), kernels);
    boolean interrupted = Thread.interrupted(); // It would close the channel.
    try {
      if (Files.exists(path)) {
        map();
        isCurrent = true;
      }
    } catch (UnusableException e) {
      close();
      unusable(e.getMessage());
    } catch (IOException | UnsupportedOperationException e) {
      close();
      unusable("it can't be read (" + e + ")");
    } catch (Throwable e) {
      close();
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Returns where a backend's weights of a model lie. */
  static Path beside(Path model, Kernels kernels) {
    return model.resolveSibling(model.getFileName() + "." + kernels.name() + ".packed");
  }

  private void unusable(@Nullable String reason) {
    LOG.log(System.Logger.Level.INFO, () -> path + ": " + reason + "; weights are packed anew");
    isCurrent = false;
  }

  private void map() throws IOException, UnusableException {
    if (!Files.isRegularFile(path)) {
      throw new UnusableException("it is no regular file");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long bytes = channel.size();
      PackedHeader header = PackedHeader.read(channel, bytes, header(0, new int[0]));
      Arena mapped = Arena.ofShared();
      arena = mapped;
      mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, mapped);
      checkPieces(header, mapping.asSlice(bytes - header.dataBytes()));
      entries = header.entries();
    }
  }

  private void checkPieces(PackedHeader header, MemorySegment data) throws UnusableException {
    AtomicBoolean whole = new AtomicBoolean(true);
    team.forRanges(
        header.pieces(),
        1,
        (begin, end) -> {
          for (int piece = (int) begin; piece < end; piece++) {
            long from = piece * PackedHeader.PIECE;
            long length = Math.min(PackedHeader.PIECE, data.byteSize() - from);
            if (!header.isWhole(piece, data.asSlice(from, length).asByteBuffer())) {
              whole.set(false);
            }
          }
        });
    if (!whole.get()) {
      throw new UnusableException("it is damaged");
    }
  }

  /**
   * Returns the next matrix of the model, from the file if it is there, else packed.
   *
   * @param pool of what is packed, open as long as this
   */
  PackedWeights pack(String name, Matrix source, MemoryPool pool) {
    long bytes = kernels.packedBytes(source.type(), source.rows(), source.columns());
    if (bytes == 0) {
      return PackedWeights.pack(kernels, team, source, pool);
    }
    MemorySegment kept = isCurrent ? find(name, source, bytes) : null;
    PackedWeights packed =
        kept == null
            ? PackedWeights.pack(kernels, team, source, pool)
            : PackedWeights.packed(kernels, source, kept);
    names.add(name);
    weights.add(packed);
    return packed;
  }

  private @Nullable MemorySegment find(String name, Matrix source, long bytes) {
    Entry entry = weights.size() < entries.size() ? entries.get(weights.size()) : null;
    if (entry == null || !entry.isOf(name, source) || entry.bytes() != bytes) {
      unusable("it lacks " + name);
      return null;
    }
    MemorySegment kept = mapping.asSlice(entry.offset(), bytes);
    long group = kernels.rowGroup(source.type());
    long last = (source.rows() - 1) / group * group;
    try (Memory buffer =
        Memory.allocate(kernels.packedBytes(source.type(), group, source.columns()))) {
      if (!isPackedSo(source, kept, 0, Math.min(group, source.rows()), buffer.segment())
          || (last > 0 && !isPackedSo(source, kept, last, source.rows(), buffer.segment()))) {
        unusable("the model's " + name + " was changed since");
        return null;
      }
    }
    return kept;
  }

  /** Tells whether a group of rows is what packing it gives. */
  private boolean isPackedSo(
      Matrix source, MemorySegment kept, long begin, long end, MemorySegment buffer) {
    kernels.pack(source.rows(begin, end), buffer, 0, end - begin);
    long at = begin / kernels.rowGroup(source.type()) * buffer.byteSize();
    return buffer.mismatch(kept.asSlice(at, buffer.byteSize())) < 0;
  }

  /**
   * Writes the file if what was taken from it is not all that it holds: under another name first,
   * so that others see it whole or not at all. Where the system does not let an older one be
   * replaced while somebody maps it, this process among them, that stays until it is deleted.
   *
   * @throws FileWriteException if it can't be written
   */
  void keep() {
    if (weights.isEmpty() || (isCurrent && weights.size() == entries.size())) {
      return;
    }
    String prefix = "." + path.getFileName() + ".";
    String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong());
    Path temporary = path.resolveSibling(prefix + suffix + ".tmp");
    boolean interrupted = Thread.interrupted(); // It would close the channel.
    boolean done = false;
    try {
      deleteAbandoned(prefix);
      write(temporary);
      done = replace(temporary);
    } catch (IOException e) {
      throw new FileWriteException(
          path
              + ": packed weights can't be kept here ("
              + e
              + "); make room or the folder writable, or load the model without keeping them",
          e);
    } finally {
      if (!done) {
        deleteQuietly(temporary);
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean replace(Path temporary) throws IOException {
    try {
      try {
        Files.move(
            temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(temporary, path, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      if (!Files.isRegularFile(path)) {
        throw e;
      }
      LOG.log(
          System.Logger.Level.WARNING, () -> path + ": can't be replaced (" + e + "); delete it");
      return false;
    }
    LOG.log(System.Logger.Level.INFO, () -> path + ": keeps the packed weights");
    return true;
  }

  /** Deletes what processes left that were killed while they wrote. */
  private void deleteAbandoned(String prefix) {
    Instant newest = Instant.now().minus(ABANDONED);
    try (DirectoryStream<Path> folder =
        Files.newDirectoryStream(path.toAbsolutePath().getParent())) {
      for (Path each : folder) {
        String name = String.valueOf(each.getFileName());
        if (name.startsWith(prefix)
            && name.endsWith(".tmp")
            && Files.getLastModifiedTime(each).toInstant().isBefore(newest)) {
          Files.deleteIfExists(each);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // They only take room; writing will tell what is wrong.
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The failure that led here is what the caller must see.
    }
  }

  /** Not forced to the disk: after a power failure the checksums tell what is missing. */
  private void write(Path file) throws IOException {
    PackedHeader draft = header(0, new int[0]);
    long dataBytes = draft.dataBytes();
    int[] checksums = new int[PackedHeader.pieces(dataBytes)];
    // The header's size depends on the number of checksums only.
    long offset = PackedHeader.dataOffset(header(0, checksums).toBytes().length);
    try (Arena buffers = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      MemorySegment buffer = buffers.allocate(WRITE_BYTES, Memory.ALIGNMENT);
      for (long at = 0; at < dataBytes; at += WRITE_BYTES) {
        long length = Math.min(WRITE_BYTES, dataBytes - at);
        gather(draft.entries(), at, buffer.asSlice(0, length));
        for (long from = 0; from < length; from += PackedHeader.PIECE) {
          long piece = Math.min(PackedHeader.PIECE, length - from);
          checksums[(int) ((at + from) / PackedHeader.PIECE)] =
              PackedHeader.checksum(buffer.asSlice(from, piece).asByteBuffer());
        }
        write(channel, buffer.asSlice(0, length).asByteBuffer(), offset + at);
      }
      write(channel, ByteBuffer.wrap(header(offset, checksums).toBytes()), 0);
    }
  }

  private PackedHeader header(long dataOffset, int[] checksums) {
    List<Entry> all = new ArrayList<>();
    long at = dataOffset;
    for (int i = 0; i < weights.size(); i++) {
      PackedWeights each = weights.get(i);
      long bytes = kernels.packedBytes(each.type(), each.rows(), each.columns());
      all.add(new Entry(names.get(i), each.type(), each.rows(), each.columns(), at, bytes));
      at += Math.ceilDiv(bytes, Memory.ALIGNMENT) * Memory.ALIGNMENT;
    }
    long dataBytes =
        all.isEmpty() ? 0 : all.getLast().offset() + all.getLast().bytes() - dataOffset;
    return new PackedHeader(
        kernels.layout(),
        model.size(),
        model.changed().to(TimeUnit.SECONDS),
        all,
        dataBytes,
        checksums);
  }

  /** Copies the data from a position on into a buffer; what lies between matrices is 0. */
  private void gather(List<Entry> places, long at, MemorySegment buffer) {
    buffer.fill((byte) 0);
    long end = at + buffer.byteSize();
    for (int i = 0; i < places.size(); i++) {
      Entry place = places.get(i);
      long from = Math.max(at, place.offset());
      long to = Math.min(end, place.offset() + place.bytes());
      if (from < to) {
        MemorySegment.copy(
            weights.get(i).segment(), from - place.offset(), buffer, from - at, to - from);
      }
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes, long position)
      throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  /** Unmaps the file; nobody may use its weights any more. */
  @Override
  public void close() {
    if (arena != null) {
      arena.close();
      arena = null;
    }
  }
}
