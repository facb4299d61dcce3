package io.smallmind.natives;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

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
    String reported = value(cpuinfo, "flags") + value(cpuinfo, "Features");
    if (reported.isEmpty()) {
      return List.of();
    }
    Set<String> present = new HashSet<>(Arrays.asList(reported.split("\\s+")));
    return flags.stream().filter(flag -> !present.contains(flag)).toList();
  }

  /** Returns whether the operating system reports the tiles of AMX and their products of bytes. */
  static boolean hasTiles() {
    List<String> flags = Arrays.asList(value(Path.of("/proc/cpuinfo"), "flags").split("\\s+"));
    return flags.containsAll(List.of("amx_tile", "amx_int8"));
  }

  /** Returns what the first line with this key says; empty if there is none. */
  private static String value(Path cpuinfo, String key) {
    try (Stream<String> lines = Files.lines(cpuinfo)) {
      return lines
          .filter(line -> line.matches(key + "\\s*:.*"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("");
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }

  private static boolean isWindows() {
    return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
  }
}
