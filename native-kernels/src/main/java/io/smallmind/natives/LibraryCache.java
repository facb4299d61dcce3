package io.smallmind.natives;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.UserPrincipal;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Puts a library out of the jar into a file, since an operating system loads files only.
 *
 * <p>The folders are JavaCPP's, which OpenBLAS uses too. A file is named by a checksum of its
 * content and compared with it byte for byte: an outdated or damaged one is never loaded.
 */
final class LibraryCache {
  /** JavaCPP's property that names the folder; without it, the home and temporary folders serve. */
  static final String FOLDER_PROPERTY = "org.bytedeco.javacpp.cachedir";

  private LibraryCache() {}

  /** Returns the folders to try, best first. */
  static List<Path> folders() {
    String chosen = System.getProperty(FOLDER_PROPERTY);
    if (chosen != null) {
      return List.of(Path.of(chosen));
    }
    return List.of(
        Path.of(System.getProperty("user.home", "."), ".javacpp", "cache"), temporaryFolder());
  }

  private static Path temporaryFolder() {
    return Path.of(
        System.getProperty("java.io.tmpdir"),
        ".javacpp-" + System.getProperty("user.name"),
        "cache");
  }

  /**
   * Returns a file with the given content, new or from before.
   *
   * @param copy tells copies of one library apart: a file can be loaded by one class loader only
   * @throws IOException if the folder can't be written, or may be written by somebody else
   */
  static Path place(Path folder, String fileName, byte[] content, int copy) throws IOException {
    String version = version(content) + (copy == 0 ? "" : "-" + copy);
    Path file = folder.resolve("smallmind").resolve(version).resolve(fileName);
    Path parent = Files.createDirectories(file.getParent());
    if (folder.equals(temporaryFolder())) {
      checkOwner(Objects.requireNonNull(folder.getParent()));
    }
    if (!holds(file, content)) {
      Path partial = Files.createTempFile(parent, fileName, ".partial");
      try {
        Files.write(partial, content);
        Files.move(
            partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(partial);
      }
    }
    return file;
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /** In a temporary folder, somebody else could have put a library of this name before. */
  private static void checkOwner(Path folder) throws IOException {
    UserPrincipal owner = Files.getOwner(folder);
    UserPrincipal self =
        folder
            .getFileSystem()
            .getUserPrincipalLookupService()
            .lookupPrincipalByName(System.getProperty("user.name"));
    if (!owner.equals(self)) {
      throw new IOException(folder + " belongs to " + owner.getName());
    }
  }

  /** Returns a name that tells builds apart; should two share it, their contents still differ. */
  private static String version(byte[] content) {
    CRC32C checksum = new CRC32C();
    checksum.update(content);
    return Long.toHexString(checksum.getValue()) + '-' + content.length;
  }
}
