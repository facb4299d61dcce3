package io.smallmind.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The processes are shell scripts. */
@DisabledOnOs(OS.WINDOWS)
class FreshProcessTest {
  private static FreshProcess run(String script, Duration patience) throws IOException {
    return FreshProcess.run(List.of("sh", "-c", script), patience);
  }

  @Test
  void firstLineAndEndAreTimed() throws IOException {
    FreshProcess process = run("echo a; sleep 0.3; echo b", Duration.ofMinutes(1));
    assertEquals(List.of("a", "b"), process.lines());
    assertTrue(process.firstLineNanos() > 0);
    assertTrue(process.nanos() - process.firstLineNanos() > 200_000_000, process.toString());
  }

  @Test
  void whoFailsTellsWhy() {
    Duration patience = Duration.ofMinutes(1);
    IOException e =
        assertThrows(IOException.class, () -> run("echo no luck >&2; exit 3", patience));
    assertEquals("the process ended with exit code 3: no luck", e.getMessage());
  }

  /** With all that it started. */
  @Test
  void whoHangsIsKilled() {
    Duration patience = Duration.ofMillis(300);
    IOException e = assertThrows(IOException.class, () -> run("sleep 1000; echo a", patience));
    assertEquals("the process took more than 0.3 s", e.getMessage());
  }
}
