package io.smallmind.natives;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The operating system and processor of this JVM, named as JavaCPP does. */
final class NativePlatform {
  private NativePlatform() {}

  /** Returns the processor: {@code x86_64}, {@code arm64}, or else what the JVM calls it. */
  static String architecture() {
    String name = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return switch (name) {
      case "amd64", "x86-64", "x64" -> "x86_64";
      case "aarch64" -> "arm64";
      default -> name;
    };
  }

  /** Returns operating system and processor, such as {@code linux-x86_64}. */
  static String name() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    if (isWindows()) {
      system = "windows";
    } else if (system.startsWith("mac")) {
      system = "macosx";
    }
    return system.replace(' ', '_') + '-' + architecture();
  }

  /** Returns the file name of the library with the native kernels. */
  static String libraryFile() {
    return isWindows() ? "jniSmallMind.dll" : "libjniSmallMind.so";
  }

  /**
   * Returns those of these CPU features that the operating system doesn't report in a file of
   * Linux' form; none if there is no such file.
   *
   * @param cpuinfo such as /proc/cpuinfo
   */
  static List<String> missingFlags(Path cpuinfo, List<String> flags) {
    try {
      for (String line : Files.readAllLines(cpuinfo)) {
        int colon = line.indexOf(':');
        String key = colon < 0 ? "" : line.substring(0, colon).strip();
        if (key.equals("flags") || key.equals("Features")) {
          Set<String> present =
              new HashSet<>(Arrays.asList(line.substring(colon + 1).strip().split("\\s+")));
          return flags.stream().filter(flag -> !present.contains(flag)).toList();
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return List.of();
  }

  private static boolean isWindows() {
    return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
  }
}
