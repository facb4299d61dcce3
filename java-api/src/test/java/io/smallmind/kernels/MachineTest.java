package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MachineTest {
  private static final double NONE = Double.POSITIVE_INFINITY;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "8, 4, Infinity, 4",
    "8, 8, 3.9, 4",
    "8, 8, 3.5, 4",
    "8, 8, 3.4, 3",
    "2, 2, 1.5, 2",
    "2, 2, 1.25, 1",
    "1, 2, 1.75, 1",
    "8, 4, 6.0, 4",
    "8, 4, 0.5, 1",
    "8, 4, 0.2, 1",
    "2, 4, Infinity, 2",
    "1, 1, 1.0, 1"
  })
  void theSmallestLimitRoundedCounts(int available, int cores, double quota, int threads) {
    assertEquals(threads, Machine.computeThreads(available, cores, quota));
  }

  @Test
  void computesWithAtLeastOneThreadAndAtMostTheProcessors() {
    int threads = Machine.computeThreads();
    assertTrue(threads >= 1 && threads <= Machine.availableProcessors(), () -> "" + threads);
  }

  @Test
  void thePropertyDecides() {
    System.setProperty(Machine.THREADS_PROPERTY, " 1 ");
    try {
      assertEquals(1, Machine.computeThreads());
    } finally {
      System.clearProperty(Machine.THREADS_PROPERTY);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-1", "many", "1.5", "99999", "99999999999"})
  void aBadPropertyIsNamed(String value) {
    System.setProperty(Machine.THREADS_PROPERTY, value);
    try {
      var thrown = assertThrows(BadArgumentException.class, Machine::computeThreads);
      assertEquals(
          "smallmind.threads = '"
              + value
              + "': choose a number from 1 to "
              + Machine.availableProcessors(),
          thrown.getMessage());
    } finally {
      System.clearProperty(Machine.THREADS_PROPERTY);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "max 100000, Infinity",
    "150000 100000, 1.5",
    "50000 100000, 0.5",
    "200000, 2.0",
    "0 100000, Infinity",
    "100000 0, Infinity",
    "nonsense, Infinity",
    "'', Infinity"
  })
  void readsTheQuotaOfVersion2(String content, double quota) throws IOException {
    write("app/cpu.max", content);
    assertEquals(quota, quotaOf("0::/app"));
  }

  @Test
  void theSmallestQuotaOnTheWayToTheRootCounts() throws IOException {
    write("cpu.max", "max 100000");
    write("slice/cpu.max", "250000 100000");
    write("slice/pod/cpu.max", "max 100000");
    write("slice/pod/app/cpu.max", "400000 100000");
    write("other/cpu.max", "100000 100000");
    assertEquals(2.5, quotaOf("0::/slice/pod/app"));
    assertEquals(1.0, quotaOf("0::/other"));
    assertEquals(NONE, quotaOf("0::/"));
  }

  @Test
  void readsTheQuotaOfVersion1() throws IOException {
    write("cpu/docker/abc/cpu.cfs_quota_us", "300000\n");
    write("cpu/docker/abc/cpu.cfs_period_us", "100000\n");
    write("cpu/docker/cpu.cfs_quota_us", "-1\n");
    write("cpu/docker/cpu.cfs_period_us", "100000\n");
    write("cpuset/docker/abc/cpu.cfs_quota_us", "100000\n");
    assertEquals(3.0, quotaOf("12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=x:/"));
    assertEquals(NONE, quotaOf("3:cpuset:/docker/abc"));
    assertEquals(NONE, quotaOf("4:cpu:/docker"));
  }

  @Test
  void aGroupThatTheContainerCannotSeeFallsBackToTheOnesThatItCan() throws IOException {
    write("cpu.max", "120000 100000");
    assertEquals(1.2, quotaOf("0::/kubepods/not/mounted/here"));
    assertEquals(1.2, quotaOf("0::/../sibling"));
  }

  @Test
  void unreadableGroupsSetNoLimit() throws IOException {
    Files.createDirectories(folder.resolve("cgroup/app/cpu.max"));
    assertEquals(NONE, quotaOf("0::/app"));
    assertEquals(NONE, quotaOf(""));
    assertEquals(NONE, quotaOf("no colons here"));
    assertEquals(NONE, Machine.cpuQuota(folder.resolve("cgroup"), folder.resolve("absent")));
    assertEquals(NONE, Machine.cpuQuota(folder.resolve("absent"), folder.resolve("absent")));
  }

  @Test
  void siblingsOfOneCoreCountOnce() throws IOException {
    for (int cpu = 0; cpu < 8; cpu++) {
      siblings(cpu, cpu % 4 + "," + (cpu % 4 + 4));
    }
    assertEquals(4, coresOf("0-7"));
    assertEquals(1, coresOf("1,5"));
    assertEquals(2, coresOf("0-1"));
    assertEquals(3, coresOf("0,4-6"));
    assertEquals(4, coresOf("0-127"), "the kernel allows more than there are");
  }

  @Test
  void offlineProcessorsLeaveGaps() throws IOException {
    siblings(0, "0");
    siblings(3, "3");
    assertEquals(2, coresOf("0-3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-", "x", "3-1", "0-99999999", "5-"})
  void anUnreadableMaskAllowsAll(String mask) throws IOException {
    siblings(0, "0-1");
    siblings(1, "0-1");
    siblings(2, "2-3");
    assertEquals(2, coresOf(mask));
  }

  @Test
  void withoutSysfsTheFallbackCounts() throws IOException {
    assertEquals(7, coresOf("0-3"));
    Files.createDirectories(folder.resolve("sysfs"));
    assertEquals(7, coresOf("0-3"));
    siblings(0, "0");
    siblings(1, "1");
    Path absent = folder.resolve("absent");
    assertEquals(2, Machine.physicalCores(folder.resolve("sysfs"), absent, 7));
  }

  private int coresOf(String mask) throws IOException {
    Path status = folder.resolve("status");
    Files.writeString(
        status, "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + mask + "\nSeccomp:\t0\n");
    return Machine.physicalCores(folder.resolve("sysfs"), status, 7);
  }

  private void siblings(int cpu, String list) throws IOException {
    Path file = folder.resolve("sysfs/cpu" + cpu + "/topology/thread_siblings_list");
    Files.createDirectories(file.getParent());
    Files.writeString(file, list + "\n");
  }

  private void write(String path, String content) throws IOException {
    Path file = folder.resolve("cgroup").resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private double quotaOf(String groups) throws IOException {
    Path self = folder.resolve("self");
    Files.writeString(self, groups);
    return Machine.cpuQuota(folder.resolve("cgroup"), self);
  }
}
