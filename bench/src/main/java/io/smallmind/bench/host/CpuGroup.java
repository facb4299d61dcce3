package io.smallmind.bench.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A control group of Linux that grants so many processors' worth of time, as containers do. This
 * process can enter and leave it; processes that it starts inside stay there. Needs the rights of
 * root. Not thread-safe.
 */
public final class CpuGroup implements AutoCloseable {
  private static final String PROCESSES = "cgroup.procs";
  private static final int PERIOD_MICROS = 100_000;
  private static final int ATTEMPTS = 50;
  private static final long PAUSE_NANOS = 5_000_000;
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final double processors;
  private final Path home;
  private final Path folder;
  private final AtExit removing;

  private CpuGroup(double processors, Path home, Path folder) {
    this.processors = processors;
    this.home = home;
    this.folder = folder;
    removing = new AtExit(this::remove);
  }

  /**
   * Makes a group.
   *
   * @param processors whose time it grants
   * @throws IOException that tells what is missing and what to do about it
   */
  public static CpuGroup create(double processors) throws IOException {
    return create(processors, Path.of("/sys/fs/cgroup"), Path.of("/proc/self/cgroup"));
  }

  /**
   * Makes a group.
   *
   * @param root where cgroup version 2, or version 1's cpu controller below it, is mounted
   * @param self lists this process's groups, as /proc/self/cgroup does
   */
  static CpuGroup create(double processors, Path root, Path self) throws IOException {
    if (!Files.isReadable(self)) {
      throw new IOException("no control groups here: quotas are measured on Linux only");
    }
    String home = "";
    boolean version2 = true;
    for (String line : Files.readAllLines(self)) {
      String[] fields = line.split(":", 3);
      boolean cpu = fields.length == 3 && List.of(fields[1].split(",")).contains("cpu");
      if (cpu || (fields.length == 3 && version2 && fields[1].isEmpty())) {
        home = fields[2];
        version2 = !cpu;
      }
    }
    Path mount = version2 ? root : root.resolve("cpu");
    Path place = mount.resolve(home.replaceFirst("^/+", "")).normalize();
    if (!place.startsWith(mount) || !Files.isDirectory(place)) {
      place = mount; // Seen from a namespace of its own, this process's group lies above.
    }
    // In version 2, a group that holds processes has no groups below it that share its time out.
    Path parent = version2 && !place.equals(mount) ? place.resolve("..").normalize() : place;
    Path folder =
        parent.resolve(
            "smallmind-bench-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    try {
      Files.createDirectory(folder);
    } catch (IOException e) {
      throw new IOException(
          "can't make the control group "
              + folder
              + ": run as root, where control groups are"
              + " writable",
          e);
    }
    CpuGroup group = new CpuGroup(processors, place, folder);
    try {
      group.grant(version2);
    } catch (IOException e) {
      group.close();
      throw e;
    }
    return group;
  }

  private void grant(boolean version2) throws IOException {
    long micros = Math.round(processors * PERIOD_MICROS);
    try {
      if (version2) {
        Files.writeString(folder.resolve("cpu.max"), micros + " " + PERIOD_MICROS);
      } else {
        Files.writeString(folder.resolve("cpu.cfs_period_us"), Integer.toString(PERIOD_MICROS));
        Files.writeString(folder.resolve("cpu.cfs_quota_us"), Long.toString(micros));
      }
    } catch (IOException e) {
      String remedy =
          version2
              ? "echo +cpu > " + folder.resolveSibling("cgroup.subtree_control")
              : "grant " + home + " at least as much";
      throw new IOException(
          "the control group " + folder + " takes no quota of " + processors + ": " + remedy, e);
    }
  }

  /** Returns how many processors' worth of time it grants. */
  public double processors() {
    return processors;
  }

  /** Tells whether it is there, as it is until it is closed. */
  boolean exists() {
    return Files.exists(folder);
  }

  /** Moves this process, with all its threads, into the group. */
  public void enter() throws IOException {
    move(ProcessHandle.current().pid(), folder);
  }

  /** Moves this process back to where it was. */
  public void leave() throws IOException {
    move(ProcessHandle.current().pid(), home);
  }

  private static void move(long process, Path group) throws IOException {
    try {
      Files.writeString(group.resolve(PROCESSES), Long.toString(process));
    } catch (IOException e) {
      throw new IOException("can't move process " + process + " to the control group " + group, e);
    }
  }

  /** Moves whatever is left in it back to where this process was, and removes it. */
  private void remove() {
    IOException failure = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        empty();
        Files.deleteIfExists(folder);
        return;
      } catch (IOException e) {
        failure = e; // Processes that end just now can't be moved, and are gone in a moment.
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    System.err.println("warning: the control group " + folder + " is left: " + failure);
  }

  private void empty() throws IOException {
    if (Files.isReadable(folder.resolve(PROCESSES))) {
      for (String process : Files.readAllLines(folder.resolve(PROCESSES))) {
        move(Long.parseLong(process.strip()), home);
      }
    }
  }

  @Override
  public void close() {
    removing.close();
  }
}
