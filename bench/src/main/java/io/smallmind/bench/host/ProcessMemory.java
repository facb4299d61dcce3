package io.smallmind.bench.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What this process keeps in memory. */
public final class ProcessMemory {
  private ProcessMemory() {}

  /** Returns the resident bytes, the file's pages that are mapped among them; null if unknown. */
  public static @Nullable Long residentBytes() {
    return kibibytes("VmRSS:");
  }

  private static @Nullable Long kibibytes(String key) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(key)) {
          return Long.parseLong(line.substring(key.length()).replace("kB", "").strip()) << 10;
        }
      }
      return null;
    } catch (IOException | NumberFormatException e) {
      return null;
    }
  }
}
