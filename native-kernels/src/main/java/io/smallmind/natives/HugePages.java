package io.smallmind.natives;

import io.smallmind.presets.SmallMind;
import io.smallmind.tensor.Memory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Memory on huge pages, where the system has them: on small ones a processor that reads gigabytes
 * of weights spends much of its time translating addresses.
 */
final class HugePages implements Memory.Source {
  private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  /** Tells whether the system gives huge pages to those who ask; only Linux does. */
  static boolean exist() {
    try {
      return !Files.readString(SETTING).contains("[never]");
    } catch (IOException | SecurityException e) {
      return false;
    }
  }

  @Override
  @SuppressWarnings("restricted")
  public @Nullable MemorySegment allocate(long bytes, Arena arena) {
    long address = SmallMind.sm_map_memory(bytes);
    if (address == 0) {
      return null;
    }
    try {
      return MemorySegment.ofAddress(address)
          .reinterpret(bytes, arena, memory -> SmallMind.sm_unmap_memory(address, bytes));
    } catch (IllegalCallerException e) {
      // Native access is granted to JavaCPP, but not to this module: the usual memory does.
      SmallMind.sm_unmap_memory(address, bytes);
      return null;
    }
  }

  @Override
  public void dropPages(MemorySegment mapping) {
    SmallMind.sm_drop_pages(mapping.address(), mapping.byteSize());
  }
}
