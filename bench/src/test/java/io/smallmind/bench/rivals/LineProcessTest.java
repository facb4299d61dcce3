package io.smallmind.bench.rivals;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The processes are shell scripts. */
@DisabledOnOs(OS.WINDOWS)
class LineProcessTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir private Path folder;

  private LineProcess start(String script, Duration patience) throws IOException {
    return new LineProcess(folder, List.of("sh", "-c", script), Map.of(), patience);
  }

  @Test
  void answersComeLineByLine() throws IOException {
    try (LineProcess process =
        start("while read line; do echo \"{\\\"got\\\": $line}\"; done", LONG)) {
      assertEquals(1, process.ask(Map.of("a", 1)).getAsJsonObject("got").get("a").getAsInt());
      assertEquals(2, process.ask(Map.of("a", 2)).getAsJsonObject("got").get("a").getAsInt());
    }
  }

  /** The shell waits for a process of its own, which holds the output open. */
  @Test
  void whoHangsIsKilledWithAllItStarted() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(2),
        () -> {
          try (LineProcess process =
              start("echo $$ > shell; sleep 1000; echo never", Duration.ofMillis(500))) {
            IOException e = assertThrows(IOException.class, () -> process.ask(Map.of()));
            assertEquals("gave no answer in 0.5 s", e.getMessage());
          }
        });
    long shell = Long.parseLong(read("shell"));
    assertTrue(ProcessHandle.of(shell).stream().noneMatch(ProcessHandle::isAlive));
  }

  private String read(String name) {
    try {
      return Files.readString(folder.resolve(name)).strip();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whoEndsTellsWhy() throws IOException {
    try (LineProcess process = start("read line; echo 'no luck' >&2; exit 3", LONG)) {
      IOException e = assertThrows(IOException.class, () -> process.ask(Map.of()));
      assertEquals("the process ended with exit code 3: no luck", e.getMessage());
    }
  }
}
