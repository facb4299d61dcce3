package io.smallmind.presets;

import java.nio.file.Path;

/**
 * Loads the library of {@code SmallMind}, which calls {@code Loader.load()} when it is initialized.
 *
 * <p>JavaCPP writes that call with its own {@code org.bytedeco.javacpp.Loader} in mind, but imports
 * it by wildcard only, so that in this package the name means this class. JavaCPP's loader judges a
 * library in its cache by size and time, and so would load an outdated one after a reproducible
 * build; it also stops at the first cache folder from which nothing may be executed. The caller of
 * {@link #use} does better.
 *
 * <p>Thread-safe.
 */
public final class Loader {
  /** JavaCPP's builder sets this to false where it reads {@code SmallMind} to make the library. */
  private static final String LOAD_LIBRARIES_PROPERTY = "org.bytedeco.javacpp.loadlibraries";

  private static volatile boolean loaded;

  private Loader() {}

  /**
   * Loads the library from a file; must come before the first use of {@code SmallMind}.
   *
   * @throws UnsatisfiedLinkError if the operating system refuses the file
   * @throws IllegalCallerException if this JVM denies native access
   */
  public static void use(Path library) {
    System.load(library.toAbsolutePath().toString());
    loaded = true;
  }

  /**
   * Checks that there is a library to call.
   *
   * @throws UnsatisfiedLinkError if none was loaded
   */
  static void load() {
    if (!loaded && Boolean.parseBoolean(System.getProperty(LOAD_LIBRARIES_PROPERTY, "true"))) {
      throw new UnsatisfiedLinkError("no library was loaded for io.smallmind.presets.SmallMind");
    }
  }
}
