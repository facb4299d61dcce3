package io.smallmind.natives;

import io.smallmind.presets.Loader;
import io.smallmind.presets.SmallMind;
import io.smallmind.tensor.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The library with the C++ kernels, loaded and checked once in this JVM, or the reason why it can't
 * be used. Immutable and thread-safe; nothing else may call {@code SmallMind} before this says that
 * it is loaded.
 */
final class NativeLibrary {
  /** Further copies to try where another class loader of this JVM has loaded the first. */
  private static final int MAX_COPIES = 16;

  private static final class Holder {
    static final NativeLibrary LIBRARY = load();
  }

  private final boolean loaded;
  private final String detail;
  private final @Nullable Throwable failure;

  private NativeLibrary(boolean loaded, String detail, @Nullable Throwable failure) {
    this.loaded = loaded;
    this.detail = detail;
    this.failure = failure;
  }

  /** Returns the library, loading it on the first call; never throws. */
  static NativeLibrary get() {
    return Holder.LIBRARY;
  }

  /** Tells whether {@code SmallMind} may be called. */
  boolean isLoaded() {
    return loaded;
  }

  /** Returns which library was loaded from where; or else why none was, and the remedy. */
  String detail() {
    return detail;
  }

  /** Returns what was thrown, if anything was. */
  @Nullable Throwable failure() {
    return failure;
  }

  private static NativeLibrary load() {
    String resource = NativePlatform.name() + '/' + NativePlatform.libraryFile();
    byte[] content;
    try (InputStream stream = NativeLibrary.class.getResourceAsStream(resource)) {
      if (stream == null) {
        return new NativeLibrary(
            false,
            "there is no native library for "
                + NativePlatform.name()
                + " on the class path; add one, or build smallmind-native with a C++ compiler",
            null);
      }
      content = stream.readAllBytes();
    } catch (IOException e) {
      return failed("the native library in the jar can't be read: " + e, e);
    }
    List<String> reasons = new ArrayList<>();
    Throwable last = null;
    for (Path folder : LibraryCache.folders()) {
      try {
        if (!reasons.isEmpty()) {
          // For OpenBLAS: JavaCPP takes the first folder that can be written, even if nothing in it
          // can be loaded, and looks for it once, when our library is loaded.
          System.setProperty(LibraryCache.FOLDER_PROPERTY, folder.toString());
        }
        Path file = load(folder, content);
        int version = SmallMind.sm_abi_version();
        if (version != SmallMind.SM_ABI_VERSION) {
          return failed(
              "the native library has interface version "
                  + version
                  + ", these classes need "
                  + SmallMind.SM_ABI_VERSION
                  + "; use jars of one release",
              null);
        }
        Memory.useForLarge(new HugePages(), Memory.systemHasHugePages());
        return new NativeLibrary(
            true,
            NativePlatform.name() + " library, interface version " + version + ", " + file,
            null);
      } catch (IllegalCallerException e) {
        return failed(
            "this JVM denies native access; start java with --enable-native-access=ALL-UNNAMED,"
                + " or without --illegal-native-access=deny",
            e);
      } catch (IOException | LinkageError | RuntimeException e) {
        last = e;
        reasons.add(e + remedy(String.valueOf(e.getMessage())));
      }
    }
    if (reasons.size() > 1) {
      System.clearProperty(LibraryCache.FOLDER_PROPERTY);
    }
    return failed("the native library can't be loaded: " + String.join("; ", reasons), last);
  }

  private static NativeLibrary failed(String reason, @Nullable Throwable failure) {
    return new NativeLibrary(false, reason, failure);
  }

  private static Path load(Path folder, byte[] content) throws IOException {
    for (int copy = 0; ; copy++) {
      Path file = LibraryCache.place(folder, NativePlatform.libraryFile(), content, copy);
      try {
        Loader.use(file);
        return file;
      } catch (UnsatisfiedLinkError e) {
        String message = String.valueOf(e.getMessage());
        if (copy == MAX_COPIES || !message.contains("already loaded in another classloader")) {
          throw e;
        }
      }
    }
  }

  /** Returns what to do about an error of the operating system, as far as its text tells. */
  static String remedy(String message) {
    String choose = "-D" + LibraryCache.FOLDER_PROPERTY + "=FOLDER";
    if (message.contains("failed to map segment")) {
      return " (nothing may be executed in this folder: set " + choose + " to another)";
    }
    if (message.contains("No space left")) {
      return " (the disk is full: free some space, or set " + choose + " to another)";
    }
    if (message.contains("GLIBC") || message.contains("relocat") || message.contains("ld-linux")) {
      return " (the library needs glibc 2.34 or newer; musl won't do)";
    }
    return " (set " + choose + " to a folder that libraries can be written to and loaded from)";
  }
}
