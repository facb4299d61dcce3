package io.smallmind.testing;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds the test data that is not part of this repository: models, vectors, corpora.
 *
 * <p>The system property {@code smallmind.testdata} names the folder. Where it is absent, a test
 * that needs it is skipped with a message; in CI (environment variable {@code CI}) it fails.
 */
public final class TestData {
  private TestData() {}

  /** Returns a file or folder of the test data, or skips the calling test. */
  public static Path path(String relative) {
    Path root = Path.of(System.getProperty("smallmind.testdata", "../shared/data"));
    Path path = root.resolve(relative);
    if (!Files.exists(path)) {
      String message =
          "test data " + path.toAbsolutePath().normalize() + " is absent; set smallmind.testdata";
      if (System.getenv("CI") != null) {
        fail(message);
      }
      System.err.println("SKIPPED: " + message);
      abort(message);
    }
    return path;
  }
}
