package io.smallmind.app;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.management.OperatingSystemMXBean;
import io.smallmind.kernels.Machine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What matters of the machine and of this JVM.
 *
 * @param cpu its model
 * @param features instruction sets that kernels could use
 * @param processors logical ones that this process may use
 * @param cores physical ones among them
 * @param quota CPUs' worth of time that the control group grants; infinite for no limit
 * @param threads that are computed with
 * @param memoryBytes of the machine or container
 * @param freeBytes of it
 * @param hugePages the system's setting: always, madvise, never; empty if unknown
 * @param system its name
 * @param java its version and vendor
 * @param heapBytes most that the Java heap may grow to
 * @param vectorModule whether the JVM was started with the vector module
 * @param nativeAccess whether it was allowed to call native code
 * @param flags of the JVM
 */
record Host(
    String cpu,
    List<String> features,
    int processors,
    int cores,
    double quota,
    int threads,
    long memoryBytes,
    long freeBytes,
    String hugePages,
    String system,
    String java,
    long heapBytes,
    boolean vectorModule,
    boolean nativeAccess,
    List<String> flags) {
  private static final Set<String> TELLING =
      Set.of(
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
          "amx_int8",
          "amx_bf16",
          "asimd",
          "asimddp",
          "i8mm",
          "bf16",
          "sve",
          "sve2");

  static Host read() {
    Map<String, String> info = table(Path.of("/proc/cpuinfo"));
    Map<String, String> memory = table(Path.of("/proc/meminfo"));
    long total =
        ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean bean
            ? bean.getTotalMemorySize()
            : 0;
    return new Host(
        info.getOrDefault("model name", System.getProperty("os.arch", "")),
        Arrays.stream(info.getOrDefault("flags", info.getOrDefault("Features", "")).split(" "))
            .filter(TELLING::contains)
            .sorted()
            .toList(),
        Machine.availableProcessors(),
        Machine.physicalCores(),
        Machine.cpuQuota(),
        Machine.computeThreads(),
        total,
        Math.min(total, kilobytes(memory.getOrDefault("MemAvailable", ""))),
        selected(firstLine(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"))),
        System.getProperty("os.name", "")
            + " "
            + System.getProperty("os.version", "")
            + " "
            + System.getProperty("os.arch", ""),
        System.getProperty("java.version", "") + ", " + System.getProperty("java.vm.name", ""),
        Runtime.getRuntime().maxMemory(),
        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
        Host.class.getModule().isNativeAccessEnabled(),
        List.copyOf(ManagementFactory.getRuntimeMXBean().getInputArguments()));
  }

  /** Returns names and values for people to read. */
  Map<String, String> rows() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("cpu", cpu);
    rows.put("features", String.join(" ", features));
    rows.put("processors", processors + ", on " + cores + " physical cores");
    rows.put(
        "cgroup quota",
        Double.isInfinite(quota) ? "none" : String.format(Locale.ROOT, "%.2f CPUs", quota));
    rows.put("memory", Sizes.bytes(memoryBytes) + ", " + Sizes.bytes(freeBytes) + " free");
    rows.put("huge pages", hugePages.isEmpty() ? "unknown" : hugePages);
    rows.put("system", system);
    rows.put("java", java + ", heap up to " + Sizes.bytes(heapBytes));
    rows.put("vector module", vectorModule ? "yes" : "no");
    rows.put("native access", nativeAccess ? "allowed" : "not allowed");
    rows.put("jvm flags", String.join(" ", flags));
    return rows;
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("cpu", cpu);
    json.add("features", array(features));
    json.addProperty("processors", processors);
    json.addProperty("cores", cores);
    json.add("quota", Json.number(quota));
    json.addProperty("memoryBytes", memoryBytes);
    json.addProperty("freeBytes", freeBytes);
    json.addProperty("hugePages", hugePages);
    json.addProperty("system", system);
    json.addProperty("java", java);
    json.addProperty("heapBytes", heapBytes);
    json.addProperty("vectorModule", vectorModule);
    json.addProperty("nativeAccess", nativeAccess);
    json.add("flags", array(flags));
    return json;
  }

  private static JsonArray array(List<String> texts) {
    JsonArray array = new JsonArray();
    texts.forEach(array::add);
    return array;
  }

  /** Reads lines of the form "name : value"; the first of a name counts. */
  private static Map<String, String> table(Path file) {
    Map<String, String> table = new HashMap<>();
    try {
      for (String line : Files.readAllLines(file)) {
        int colon = line.indexOf(':');
        if (colon > 0) {
          table.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
        }
      }
    } catch (IOException e) {
      return table; // This system has no such file.
    }
    return table;
  }

  private static String firstLine(Path file) {
    try {
      return Files.readAllLines(file).stream().findFirst().orElse("");
    } catch (IOException e) {
      return "";
    }
  }

  /** Returns the choice in brackets: "always [madvise] never". */
  private static String selected(String choices) {
    int begin = choices.indexOf('[');
    int end = choices.indexOf(']');
    return begin >= 0 && end > begin ? choices.substring(begin + 1, end) : "";
  }

  /** Reads "123 kB"; no limit if it can't be. */
  private static long kilobytes(String text) {
    try {
      return Long.parseLong(text.replace("kB", "").strip()) * 1024;
    } catch (NumberFormatException e) {
      return Long.MAX_VALUE;
    }
  }
}
