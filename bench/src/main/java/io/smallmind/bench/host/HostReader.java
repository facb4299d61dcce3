package io.smallmind.bench.host;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads {@link HostInfo} from the operating system; what isn't there is left out. */
public final class HostReader {
  private static final Set<String> TELLING_FLAGS =
      Set.of(
          "sse4_2",
          "f16c",
          "fma",
          "avx",
          "avx2",
          "avx_vnni",
          "avx512f",
          "avx512bw",
          "avx512dq",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "avx512vbmi",
          "amx_int8",
          "amx_bf16",
          "asimd",
          "asimddp",
          "i8mm",
          "bf16",
          "sve",
          "sve2");

  private static final long GIT_SECONDS = 2;

  private HostReader() {}

  /** Reads everything. */
  public static HostInfo read() {
    Map<String, String> cpu = cpuInfo();
    var runtime = ManagementFactory.getRuntimeMXBean();
    return new HostInfo(
        cpu.getOrDefault("model name", System.getProperty("os.arch", "")),
        Runtime.getRuntime().availableProcessors(),
        flags(cpu),
        caches(Path.of("/sys/devices/system/cpu/cpu0/cache")),
        line(Path.of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        memoryBytes(),
        line(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")),
        operatingSystem(),
        System.getProperty("java.version", ""),
        runtime.getVmVendor() + " " + runtime.getVmName() + " " + runtime.getVmVersion(),
        List.copyOf(runtime.getInputArguments()),
        revision());
  }

  /** Returns how many threads wanted to run, on average over the last minute; null if unknown. */
  public static @Nullable Double load() {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    return load < 0 ? null : load;
  }

  /**
   * Returns how many processors other processes keep busy, watched for a moment; null if unknown.
   * The load average can't tell: it remembers this process' own work.
   */
  public static @Nullable Double foreignLoad(long watchMillis) {
    try {
      long[] before = busyTicks();
      long begin = System.nanoTime();
      Thread.sleep(watchMillis);
      long[] after = busyTicks();
      double seconds = (System.nanoTime() - begin) / 1e9;
      double busy = (after[0] - before[0]) - (after[1] - before[1]);
      return Math.max(0, busy / TICKS_PER_SECOND / seconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } catch (IOException | RuntimeException e) {
      return null;
    }
  }

  private static final double TICKS_PER_SECOND = 100;

  /** Returns busy ticks of the machine, and of this process. */
  private static long[] busyTicks() throws IOException {
    String[] all = Files.readAllLines(Path.of("/proc/stat")).getFirst().split("\\s+");
    // user, nice, system, (idle, iowait,) irq, softirq
    long busy = 0;
    for (int i : new int[] {1, 2, 3, 6, 7}) {
      busy += Long.parseLong(all[i]);
    }
    String self = Files.readString(Path.of("/proc/self/stat"));
    String[] fields = self.substring(self.lastIndexOf(')') + 2).split(" ");
    return new long[] {busy, Long.parseLong(fields[11]) + Long.parseLong(fields[12])};
  }

  private static Map<String, String> cpuInfo() {
    Map<String, String> info = new HashMap<>();
    for (String line : lines(Path.of("/proc/cpuinfo"))) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        info.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
      }
    }
    return info;
  }

  private static List<String> flags(Map<String, String> cpu) {
    String all = cpu.getOrDefault("flags", cpu.getOrDefault("Features", ""));
    Set<String> present = new TreeSet<>(List.of(all.split(" ")));
    present.retainAll(TELLING_FLAGS);
    return List.copyOf(present);
  }

  private static List<String> caches(Path folder) {
    List<String> caches = new ArrayList<>();
    for (int index = 0; ; index++) {
      Path cache = folder.resolve("index" + index);
      String level = line(cache.resolve("level"));
      if (level.isEmpty()) {
        return List.copyOf(caches);
      }
      String kind = line(cache.resolve("type"));
      String suffix = kind.equals("Data") ? "d" : kind.equals("Instruction") ? "i" : "";
      caches.add("L" + level + suffix + " " + line(cache.resolve("size")));
    }
  }

  private static @Nullable Long memoryBytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : null;
  }

  private static String operatingSystem() {
    String name = "";
    for (String line : lines(Path.of("/etc/os-release"))) {
      if (line.startsWith("PRETTY_NAME=")) {
        name = line.substring(line.indexOf('=') + 1).replace("\"", "") + ", ";
      }
    }
    return name
        + System.getProperty("os.name", "")
        + " "
        + System.getProperty("os.version", "")
        + " "
        + System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
  }

  private static String revision() {
    try {
      Process git =
          new ProcessBuilder("git", "describe", "--always", "--dirty=+", "--abbrev=12")
              .directory(sources().toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!git.waitFor(GIT_SECONDS, TimeUnit.SECONDS)) {
        git.destroy();
        return "";
      }
      String text = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return git.exitValue() == 0 ? text.strip() : "";
    } catch (IOException e) {
      return ""; // no git here
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  /** Returns a folder within the sources that this bench was built from, wherever it started. */
  public static Path sources() throws IOException {
    CodeSource source = HostReader.class.getProtectionDomain().getCodeSource();
    try {
      Path classes = source == null ? null : Path.of(source.getLocation().toURI());
      Path parent = classes == null ? null : classes.getParent();
      return parent == null ? Path.of("").toAbsolutePath() : parent;
    } catch (URISyntaxException e) {
      throw new IOException(source.getLocation() + " is no file", e);
    }
  }

  private static String line(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.findFirst().map(String::strip).orElse("");
    } catch (IOException | RuntimeException e) {
      return "";
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
