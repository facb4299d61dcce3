package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryCacheTest {
  @TempDir Path folder;

  @Test
  void rebuiltLibraryOfTheSameSizeIsAnotherFile() throws IOException {
    Path old = LibraryCache.place(folder, "lib.so", new byte[] {1, 2, 3}, 0);
    Path rebuilt = LibraryCache.place(folder, "lib.so", new byte[] {1, 2, 4}, 0);
    assertNotEquals(old, rebuilt);
    assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(old));
    assertArrayEquals(new byte[] {1, 2, 4}, Files.readAllBytes(rebuilt));
  }

  @Test
  void intactFileIsUsedAgain() throws IOException {
    byte[] content = {1, 2, 3};
    Path first = LibraryCache.place(folder, "lib.so", content, 0);
    Files.setLastModifiedTime(first, FileTime.fromMillis(0));
    assertEquals(first, LibraryCache.place(folder, "lib.so", content, 0));
    assertEquals(FileTime.fromMillis(0), Files.getLastModifiedTime(first));
  }

  @Test
  void damagedFileIsReplaced() throws IOException {
    byte[] content = {1, 2, 3};
    Path file = LibraryCache.place(folder, "lib.so", content, 0);
    Files.write(file, new byte[] {1, 2, 9});
    assertArrayEquals(
        content, Files.readAllBytes(LibraryCache.place(folder, "lib.so", content, 0)));
  }

  @Test
  void nothingIsLeftBeside() throws IOException {
    Path file = LibraryCache.place(folder, "lib.so", new byte[1000], 0);
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void copiesAreApart() throws IOException {
    byte[] content = {1, 2, 3};
    Path first = LibraryCache.place(folder, "lib.so", content, 0);
    Path second = LibraryCache.place(folder, "lib.so", content, 1);
    assertNotEquals(first, second);
    assertTrue(Files.exists(first) && Files.exists(second));
  }
}
