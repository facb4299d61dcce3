package io.smallmind.kernels;

import io.smallmind.error.BadArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What this process may use of the machine. Thread-safe. */
public final class Machine {
  /** Number of threads of {@link Team#shared()}; without it, {@link #computeThreads()} decides. */
  public static final String THREADS_PROPERTY = "smallmind.threads";

  private Machine() {}

  /** Returns the number of logical processors that the operating system lets this process use. */
  public static int availableProcessors() {
    return Runtime.getRuntime().availableProcessors();
  }

  /**
   * Returns the number of threads worth computing with: {@value #THREADS_PROPERTY}, or else the
   * physical cores, at most the container's CPU quota rounded to the nearest number, at least 1.
   *
   * @throws BadArgumentException if the property is no number from 1 to the available processors
   */
  public static int computeThreads() {
    int available = availableProcessors();
    String property = System.getProperty(THREADS_PROPERTY);
    if (property != null) {
      try {
        int threads = Integer.parseInt(property.strip());
        if (threads >= 1 && threads <= available) {
          return threads;
        }
      } catch (NumberFormatException e) {
        // The message below says it.
      }
      throw new BadArgumentException(
          THREADS_PROPERTY + " = '" + property + "': choose a number from 1 to " + available);
    }
    return computeThreads(available, physicalCores(), cpuQuota());
  }

  /** Returns the number of physical cores that the operating system lets this process use. */
  public static int physicalCores() {
    return physicalCores(
        Path.of("/sys/devices/system/cpu"), Path.of("/proc/self/status"), availableProcessors());
  }

  /**
   * Returns how many CPUs' worth of time the control groups grant; infinity if there's no limit.
   */
  public static double cpuQuota() {
    return cpuQuota(Path.of("/sys/fs/cgroup"), Path.of("/proc/self/cgroup"));
  }

  /**
   * Returns the smallest of the three limits, at least 1. A quota is rounded to the nearest number:
   * below a half, what another thread adds is lost again by all of them waiting, at their barriers,
   * for who has no more time left.
   */
  static int computeThreads(int available, int cores, double quota) {
    return Math.max(1, (int) Math.min(Math.min(available, cores), Math.floor(quota + 0.5)));
  }

  /**
   * Counts the distinct cores among the processors that this process may run on.
   *
   * @param sysfs describes the processors, as /sys/devices/system/cpu does
   * @param status names the allowed ones, as /proc/self/status does; all of them if unreadable
   * @param fallback the answer where sysfs is unreadable
   */
  static int physicalCores(Path sysfs, Path status, int fallback) {
    if (!Files.isDirectory(sysfs)) {
      return fallback;
    }
    BitSet allowed = allowedProcessors(status);
    Set<String> cores = new HashSet<>();
    for (int cpu = allowed.nextSetBit(0); cpu >= 0; cpu = allowed.nextSetBit(cpu + 1)) {
      try {
        Path siblings = sysfs.resolve("cpu" + cpu + "/topology/thread_siblings_list");
        cores.add(Files.readString(siblings).strip());
      } catch (IOException e) {
        // Offline, or a number that this machine has no processor for.
      }
    }
    return cores.isEmpty() ? fallback : cores.size();
  }

  /** Reads the affinity mask of this process. */
  private static BitSet allowedProcessors(Path status) {
    BitSet all = new BitSet();
    all.set(0, MAX_PROCESSORS);
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith(ALLOWED)) {
          return parseList(line.substring(ALLOWED.length()).strip());
        }
      }
    } catch (IOException | NumberFormatException e) {
      return all;
    }
    return all;
  }

  private static final String ALLOWED = "Cpus_allowed_list:";

  /** More than Linux supports (CONFIG_NR_CPUS). */
  private static final int MAX_PROCESSORS = 8192;

  /** Parses "0-3,8,10-11". */
  private static BitSet parseList(String list) {
    BitSet processors = new BitSet();
    for (String range : list.split(",")) {
      String[] ends = range.split("-", 2);
      int first = Integer.parseUnsignedInt(ends[0]);
      int last = Integer.parseUnsignedInt(ends[ends.length - 1]);
      if (first < 0 || last < first || last >= MAX_PROCESSORS) {
        throw new NumberFormatException(list);
      }
      processors.set(first, last + 1);
    }
    return processors;
  }

  /**
   * Returns how many CPUs' worth of time the control groups above this process grant: the smallest
   * quota on the way to the root; infinity if there is none.
   *
   * @param root where cgroup version 2 (or version 1's cpu controller below it) is mounted
   * @param self lists this process's groups, as /proc/self/cgroup does
   */
  static double cpuQuota(Path root, Path self) {
    double quota = Double.POSITIVE_INFINITY;
    try {
      for (String line : Files.readAllLines(self)) {
        String[] fields = line.split(":", 3);
        if (fields.length != 3) {
          continue;
        }
        boolean version2 = fields[1].isEmpty();
        if (!version2 && !List.of(fields[1].split(",")).contains("cpu")) {
          continue;
        }
        Path mount = version2 ? root : root.resolve("cpu");
        Path group = mount.resolve(fields[2].replaceFirst("^/+", "")).normalize();
        if (!group.startsWith(mount)) {
          group = mount; // Seen from a namespace of its own, this process's group lies above.
        }
        for (; group != null && group.startsWith(mount); group = group.getParent()) {
          quota = Math.min(quota, version2 ? quotaVersion2(group) : quotaVersion1(group));
        }
      }
    } catch (IOException e) {
      return quota;
    }
    return quota;
  }

  private static double quotaVersion2(Path group) {
    try {
      String[] fields = Files.readString(group.resolve("cpu.max")).strip().split("\\s+");
      return ratio(fields[0], fields.length > 1 ? fields[1] : "100000");
    } catch (IOException e) {
      return Double.POSITIVE_INFINITY;
    }
  }

  private static double quotaVersion1(Path group) {
    try {
      return ratio(
          Files.readString(group.resolve("cpu.cfs_quota_us")).strip(),
          Files.readString(group.resolve("cpu.cfs_period_us")).strip());
    } catch (IOException e) {
      return Double.POSITIVE_INFINITY;
    }
  }

  private static double ratio(String quota, String period) {
    try {
      double value = Double.parseDouble(quota) / Double.parseDouble(period);
      return value > 0 ? value : Double.POSITIVE_INFINITY;
    } catch (NumberFormatException e) {
      return Double.POSITIVE_INFINITY; // "max"
    }
  }
}
