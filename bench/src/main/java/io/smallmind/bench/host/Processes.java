package io.smallmind.bench.host;

import java.util.List;
import java.util.stream.Collectors;

/** What all who run other programs need. */
public final class Processes {
  private static final int TOLD_LINES = 4;

  private Processes() {}

  /** Kills a process and whatever it started, which may hold its output open. */
  public static void kill(Process process) {
    List<ProcessHandle> started = process.descendants().toList();
    process.destroyForcibly();
    started.forEach(ProcessHandle::destroyForcibly);
  }

  /** Returns the end of what a program said, in one line; empty if it said nothing. */
  public static String complaint(String text) {
    List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
    return lines.subList(Math.max(0, lines.size() - TOLD_LINES), lines.size()).stream()
        .map(String::strip)
        .collect(Collectors.joining(" / "));
  }
}
