package io.smallmind.bench.rivals;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The versions that the drivers are made for. */
final class Versions {
  private static final String FILE = "io/smallmind/drivers/versions.properties";

  private Versions() {}

  static String of(String library) {
    try (InputStream stream = ClassLoader.getSystemResourceAsStream(FILE)) {
      if (stream == null) {
        return "";
      }
      Properties versions = new Properties();
      versions.load(stream);
      return versions.getProperty(library, "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
