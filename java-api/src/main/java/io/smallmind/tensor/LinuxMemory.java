package io.smallmind.tensor;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Memory of Linux, asked for huge pages, for JVMs that allow calls of its C library but have no
 * native kernels. On small pages a processor that reads gigabytes of weights spends much of its
 * time translating addresses. Thread-safe.
 */
final class LinuxMemory implements Memory.Source {
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
  private static final Set<String> ARCHITECTURES = Set.of("amd64", "x86_64", "aarch64", "arm64");
  private static final long HUGE_PAGE = 2L << 20;
  private static final long LARGEST_PAGE = 64L << 10; // of the small ones, on any architecture

  // The same numbers on both architectures: see mman-common.h of Linux.
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;

  private final MethodHandle mmap;
  private final MethodHandle munmap;
  private final MethodHandle madvise;

  @SuppressWarnings("restricted")
  private LinuxMemory(Linker linker) {
    mmap =
        handle(
            linker, "mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    munmap = handle(linker, "munmap", JAVA_INT, ADDRESS, JAVA_LONG);
    madvise = handle(linker, "madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(
      Linker linker, String name, MemoryLayout result, MemoryLayout... arguments) {
    MemorySegment function = linker.defaultLookup().findOrThrow(name);
    return linker.downcallHandle(function, FunctionDescriptor.of(result, arguments));
  }

  /**
   * Returns the memory of this system, or null if it is not Linux, or if this JVM was not told to
   * allow native access, which would otherwise print a warning.
   */
  static @Nullable LinuxMemory find() {
    if (!System.getProperty("os.name", "").equals("Linux")
        || !ARCHITECTURES.contains(System.getProperty("os.arch", ""))
        || !LinuxMemory.class.getModule().isNativeAccessEnabled()) {
      return null;
    }
    try {
      return new LinuxMemory(Linker.nativeLinker());
    } catch (UnsupportedOperationException
        | IllegalCallerException
        | NoSuchElementException
        | LinkageError e) {
      return null; // The usual memory does.
    }
  }

  /** Tells whether the system gives huge pages to those who ask. */
  static boolean hugePagesExist() {
    try {
      return !Files.readString(HUGE_PAGES).contains("[never]");
    } catch (IOException | SecurityException e) {
      return false;
    }
  }

  @Override
  @SuppressWarnings("restricted")
  public @Nullable MemorySegment allocate(long bytes, Arena arena) {
    if (bytes > Long.MAX_VALUE - 2 * HUGE_PAGE) {
      return null;
    }
    long size = Math.ceilDiv(bytes, LARGEST_PAGE) * LARGEST_PAGE;
    // One huge page more than needed, so that there is a multiple of its size to begin at.
    long mapped = size + HUGE_PAGE;
    MemorySegment memory = map(mapped);
    if (memory.address() == -1) {
      return null;
    }
    long begin = Math.ceilDiv(memory.address(), HUGE_PAGE) * HUGE_PAGE;
    // Where it is refused, small pages do.
    advise(begin, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    return MemorySegment.ofAddress(begin)
        .reinterpret(bytes, arena, aligned -> unmap(memory, mapped));
  }

  @Override
  public void dropPages(MemorySegment mapping) {
    long begin = Math.ceilDiv(mapping.address(), LARGEST_PAGE) * LARGEST_PAGE;
    long end = (mapping.address() + mapping.byteSize()) / LARGEST_PAGE * LARGEST_PAGE;
    if (begin < end) {
      advise(begin, end - begin, MADV_DONTNEED);
    }
  }

  private MemorySegment map(long bytes) {
    try {
      return (MemorySegment)
          mmap.invokeExact(
              MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
    } catch (Throwable e) {
      throw new AssertionError("mmap throws nothing", e);
    }
  }

  private void unmap(MemorySegment memory, long bytes) {
    try {
      int ignored = (int) munmap.invokeExact(memory, bytes);
    } catch (Throwable e) {
      throw new AssertionError("munmap throws nothing", e);
    }
  }

  private void advise(long address, long bytes, int advice) {
    try {
      int ignored = (int) madvise.invokeExact(MemorySegment.ofAddress(address), bytes, advice);
    } catch (Throwable e) {
      throw new AssertionError("madvise throws nothing", e);
    }
  }
}
