package io.smallmind.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On files that look like control groups, but for removing: folders with files in them stay. */
class CpuGroupTest {
  private static final String OWN = Long.toString(ProcessHandle.current().pid());

  @TempDir private Path root;

  private CpuGroup create(double processors, String groups) throws IOException {
    Path self = root.resolve("self");
    Files.writeString(self, groups);
    return CpuGroup.create(processors, root.resolve("cgroup"), self);
  }

  private Path folder(String path) throws IOException {
    return Files.createDirectories(root.resolve("cgroup").resolve(path));
  }

  private static Path onlyGroup(Path parent) throws IOException {
    try (Stream<Path> below = Files.list(parent)) {
      List<Path> groups =
          below.filter(path -> String.valueOf(path.getFileName()).contains("bench")).toList();
      assertEquals(1, groups.size(), groups.toString());
      return groups.getFirst();
    }
  }

  @Test
  void ofVersion1LiesBelowItsOwnGroup() throws IOException {
    Path home = folder("cpu/docker/abc");
    try (CpuGroup group = create(1.5, "4:memory:/m\n3:cpu,cpuacct:/docker/abc\n0::/elsewhere\n")) {
      Path folder = onlyGroup(home);
      assertEquals("100000", Files.readString(folder.resolve("cpu.cfs_period_us")));
      assertEquals("150000", Files.readString(folder.resolve("cpu.cfs_quota_us")));
      group.enter();
      assertEquals(OWN, Files.readString(folder.resolve("cgroup.procs")));
      assertFalse(Files.exists(home.resolve("cgroup.procs")));
      group.leave();
      assertEquals(OWN, Files.readString(home.resolve("cgroup.procs")));
    }
  }

  /** Which may have no groups below it, as long as processes are in it. */
  @Test
  void ofVersion2LiesBesideItsOwnGroup() throws IOException {
    Path home = folder("slice/app");
    try (CpuGroup group = create(0.25, "0::/slice/app\n")) {
      Path folder = onlyGroup(root.resolve("cgroup/slice"));
      assertEquals("25000 100000", Files.readString(folder.resolve("cpu.max")));
      group.enter();
      group.leave();
      assertEquals(OWN, Files.readString(home.resolve("cgroup.procs")));
    }
  }

  @Test
  void ofVersion2LiesBelowTheRoot() throws IOException {
    Path home = folder("");
    try (CpuGroup group = create(1, "0::/\n")) {
      assertEquals(1, group.processors());
      assertTrue(Files.exists(onlyGroup(home).resolve("cpu.max")));
    }
  }

  @Test
  void ofAnotherNamespaceIsTheRoot() throws IOException {
    Path home = folder("cpu");
    try (CpuGroup group = create(1, "3:cpu:/docker/not/mounted/here\n")) {
      group.leave();
      assertEquals(OWN, Files.readString(home.resolve("cgroup.procs")));
    }
  }

  @Test
  void whoIsInItComesBackAtTheEnd() throws IOException {
    Path home = folder("cpu");
    CpuGroup group = create(1, "3:cpu:/\n");
    Files.writeString(onlyGroup(home).resolve("cgroup.procs"), "4711\n");
    group.close();
    assertEquals("4711", Files.readString(home.resolve("cgroup.procs")));
  }

  /** As rivals are killed, whose processes then take a moment to end. */
  @Test
  void ofTheSystemIsRemovedThoughProcessesEndJustThen() throws IOException {
    for (int round = 0; round < 20; round++) {
      CpuGroup group;
      try {
        group = CpuGroup.create(0.5);
      } catch (IOException e) {
        abort("no control groups here: " + e.getMessage());
        return;
      }
      Process process;
      try (group) {
        group.enter();
        try {
          process = new ProcessBuilder("sh", "-c", "sleep 100 & echo; exec sleep 100").start();
        } finally {
          group.leave();
        }
        assertEquals("", process.inputReader().readLine());
        Processes.kill(process);
      }
      assertFalse(group.exists());
    }
  }

  @Test
  void whatIsMissingIsTold() throws IOException {
    IOException none = assertThrows(IOException.class, () -> create(1, "3:cpu:/\n"));
    assertTrue(String.valueOf(none.getMessage()).contains("run as root"), none.getMessage());
    Path absent = root.resolve("absent");
    IOException other = assertThrows(IOException.class, () -> CpuGroup.create(1, root, absent));
    assertTrue(String.valueOf(other.getMessage()).contains("on Linux only"), other.getMessage());
  }
}
