package io.smallmind.bench.host;

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
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** The part of a file that the operating system keeps in memory. Linux only. */
public final class PageCache {
  private static final int READ_ONLY = 0;
  private static final int DONT_NEED = 4;
  private static final int PAGE = 4096;

  /** Some pages may be on their way. */
  private static final double EMPTY = 0.02;

  private PageCache() {}

  /**
   * Drops a file from memory, so that the next one who reads it waits for the disk.
   *
   * @return why that can't be done here; empty if the file is gone from memory
   */
  public static String drop(Path file) {
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle open = function("open", JAVA_INT, ADDRESS, JAVA_INT);
      MethodHandle advise =
          function("posix_fadvise", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
      MethodHandle close = function("close", JAVA_INT, JAVA_INT);
      if (open == null || advise == null || close == null) {
        return "this system has no posix_fadvise";
      }
      int descriptor = (int) open.invoke(arena.allocateFrom(file.toString()), READ_ONLY);
      if (descriptor < 0) {
        return "can't open " + file;
      }
      int error = (int) advise.invoke(descriptor, 0L, 0L, DONT_NEED);
      int unused = (int) close.invoke(descriptor);
      if (error != 0) {
        return "posix_fadvise failed with error " + error;
      }
      double left = residentShare(file);
      return left <= EMPTY
          ? ""
          : "the system keeps " + Math.round(100 * left) + " % of the file in memory";
    } catch (IOException e) {
      return "can't read " + file + ": " + e.getMessage();
    } catch (Throwable e) {
      return "posix_fadvise can't be called: " + e;
    }
  }

  /** Returns how much of a file is in memory: 0 to 1. */
  private static double residentShare(Path file) throws Throwable {
    MethodHandle resident = function("mincore", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
    if (resident == null) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long pages = (channel.size() + PAGE - 1) / PAGE;
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      MemorySegment flags = arena.allocate(pages);
      if (pages == 0 || (int) resident.invoke(mapped, channel.size(), flags) != 0) {
        return 0;
      }
      long count = 0;
      for (long page = 0; page < pages; page++) {
        count += flags.get(java.lang.foreign.ValueLayout.JAVA_BYTE, page) & 1;
      }
      return (double) count / pages;
    }
  }

  private static @Nullable MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... parameters) {
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(address -> linker.downcallHandle(address, FunctionDescriptor.of(result, parameters)))
        .orElse(null);
  }
}
