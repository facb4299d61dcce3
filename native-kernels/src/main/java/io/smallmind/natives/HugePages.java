package io.smallmind.natives;

import io.smallmind.presets.SmallMind;
import io.smallmind.tensor.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory on huge pages, where the system has them: on small ones a processor that reads gigabytes
 * of weights spends much of its time translating addresses.
 */
final class HugePages implements Memory.Source {
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
