package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

/** What tests need to know of the natives of this build. */
final class Natives {
  private Natives() {}

  /** Tells whether this build made a library for this platform. */
  static boolean areBuilt() {
    return NativeLibrary.class.getResource(
            NativePlatform.name() + '/' + NativePlatform.libraryFile())
        != null;
  }

  /** Skips the calling test where there is no library; in CI, that is an error. */
  static void require() {
    if (!areBuilt()) {
      skip("this build has no native library for " + NativePlatform.name());
    }
  }

  /** Skips the calling test and says so; in CI, that is an error. */
  static void skip(String reason) {
    if (System.getenv("CI") != null) {
      fail("in CI nothing may be skipped: " + reason);
    }
    System.err.println("SKIPPED: " + reason);
    abort(reason);
  }
}
