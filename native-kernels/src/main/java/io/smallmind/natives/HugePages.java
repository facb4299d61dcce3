package io.smallmind.natives;

import io.smallmind.presets.SmallMind;
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
final class HugePages {
  private static final Path SETTING = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  private HugePages() {}

  /** Tells whether the system gives huge pages to those who ask; only Linux does. */
  static boolean exist() {
    try {
      return !Files.readString(SETTING).contains("[never]");
    } catch (IOException | SecurityException e) {
      return false;
    }
  }

  /** See {@link io.smallmind.tensor.Memory.Source}. */
  @SuppressWarnings("restricted")
  static @Nullable MemorySegment allocate(long bytes, Arena arena) {
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
}
