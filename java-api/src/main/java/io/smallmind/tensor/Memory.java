package io.smallmind.tensor;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.OutOfMemoryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Zeroed off-heap memory with an owner, freed by {@link #close()}.
 *
 * <p>Kernels work on raw addresses, so freed memory must never be reached while one runs: whoever
 * starts kernels on it holds it by {@link #acquire()} and {@link #release()}. Thread-safe.
 */
public final class Memory implements AutoCloseable {
  /** Alignment of every allocation in bytes: a cache line, and a 512-bit vector. */
  public static final long ALIGNMENT = 64;

  /** From this size on, in bytes, memory comes from the {@link Source} if there is one. */
  public static final long LARGE = 2L << 20;

  /** Where large memory comes from, and goes to, if not by the Java runtime. */
  public interface Source {
    /**
     * Returns zeroed memory that the arena frees, or null if there is none to be had.
     *
     * @param bytes at least {@link #LARGE}
     */
    @Nullable MemorySegment allocate(long bytes, Arena arena);

    /** See {@link Memory#dropPages}. */
    void dropPages(MemorySegment mapping);
  }

  private static volatile @Nullable Source better;
  private static volatile boolean hugePages;

  /** Found when it is first needed: whoever has a better source says so before. */
  private static final class OfSystem {
    static final @Nullable Source SOURCE = LinuxMemory.find();
    static final boolean HUGE_PAGES = SOURCE != null && systemHasHugePages();
  }

  private final Lifetime lifetime;
  private final MemorySegment segment;

  private Memory(long bytes) {
    Arena arena = Arena.ofShared();
    try {
      segment = allocate(bytes, arena);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new OutOfMemoryException(
          "no " + bytes + " bytes of native memory; use a smaller model or context", e);
    }
    lifetime = new Lifetime("this memory", arena::close);
  }

  /**
   * Allocates zeroed memory, aligned to {@link #ALIGNMENT} bytes.
   *
   * @throws BadArgumentException if bytes is negative
   * @throws OutOfMemoryException if the operating system refuses
   */
  public static Memory allocate(long bytes) {
    if (bytes < 0) {
      throw new BadArgumentException("can't allocate " + bytes + " bytes");
    }
    return new Memory(bytes);
  }

  /**
   * Lets all large memory from now on come from a source that knows better. Done once by whoever
   * has one.
   *
   * @param onHugePages whether its memory lies on huge pages
   */
  public static void useForLarge(Source better, boolean onHugePages) {
    Memory.better = better;
    hugePages = onHugePages;
  }

  private static @Nullable Source source() {
    Source told = better;
    return told != null ? told : OfSystem.SOURCE;
  }

  /** Tells whether Linux gives huge pages to those who ask; false on other systems. */
  public static boolean systemHasHugePages() {
    return LinuxMemory.hugePagesExist();
  }

  /** Tells whether large memory lies on huge pages, from which it is read faster. */
  public static boolean hasHugePages() {
    return better != null ? hugePages : OfSystem.HUGE_PAGES;
  }

  /**
   * Gives the pages of a file's mapping back to the system, which keeps them in its cache as long
   * as it likes: those that are read again come back. Does nothing where nobody knows how.
   *
   * @param mapping of a file, only read
   * @throws BadArgumentException if it is not the mapping of a file, or can be written
   */
  public static void dropPages(MemorySegment mapping) {
    if (!mapping.isMapped() || !mapping.isReadOnly()) {
      throw new BadArgumentException("only pages of files that are only read can be dropped");
    }
    Source source = source();
    if (source != null) {
      source.dropPages(mapping);
    }
  }

  private static MemorySegment allocate(long bytes, Arena arena) {
    Source source = bytes >= LARGE ? source() : null;
    if (source != null) {
      MemorySegment large = source.allocate(bytes, arena);
      if (large != null) {
        return large;
      }
    }
    return arena.allocate(bytes, ALIGNMENT);
  }

  /** Returns the memory; access after close throws {@link IllegalStateException}. */
  public MemorySegment segment() {
    return segment;
  }

  /**
   * Keeps the memory from being freed until {@link #release()}.
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

  /** Frees the memory as soon as nobody holds it; closing twice does nothing. */
  @Override
  public void close() {
    lifetime.close();
  }
}
