package io.smallmind.bench.rivals;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LlamaBenchTest {
  @TempDir private Path folder;

  private Path program(String name) throws IOException {
    Path program = Files.createFile(folder.resolve(name));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }

  @Test
  void aNameIsSearchedForAndAPathIsNot() throws IOException {
    Path program = program("some-bench");
    Files.createDirectory(folder.resolve("other"));
    String searched = folder.resolve("other") + File.pathSeparator + folder;
    assertEquals(program, LlamaBench.find("some-bench", searched));
    assertEquals(program, LlamaBench.find(program.toString(), ""));
    assertEquals(
        Path.of("x/some-bench").toAbsolutePath(), LlamaBench.find("x/some-bench", searched));
    // Folders can be entered, but not run.
    assertEquals(Path.of("other").toAbsolutePath(), LlamaBench.find("other", folder.toString()));
  }

  /** As it was said: results are shown to others. */
  @Test
  void whatIsMissingIsToldAsItWasSaid() {
    LlamaBench absent = new LlamaBench("ik=no-such-bench -rtr 1", Duration.ofSeconds(1));
    assertEquals("no executable no-such-bench", absent.missing());
    LlamaBench inFolder = new LlamaBench("ik=" + folder, Duration.ofSeconds(1));
    assertEquals("no executable " + folder, inFolder.missing());
  }
}
