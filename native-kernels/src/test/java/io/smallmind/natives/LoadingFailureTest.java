package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.probe.Probe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every way in which natives fail to load, each in a JVM of its own: an automatic choice falls back
 * to working Java kernels and says why; a forced one is a typed error.
 */
class LoadingFailureTest {
  private static final String PROBE = Probe.class.getName();
  private static final String VECTOR = "--add-modules=jdk.incubator.vector";
  private static final String FORCED = "-Dsmallmind.backend=";

  /** Runs what follows in a mount namespace of its own, with a small file system at $0. */
  private static final String MOUNT = "mount -t tmpfs -o %s tmpfs \"$0\" && exec \"$@\"";

  @TempDir Path folder;

  private String best;

  @BeforeEach
  void natives() {
    Natives.require();
    best =
        ExpectedBackends.backends().stream()
            .filter(name -> name.startsWith("native"))
            .findFirst()
            .orElseThrow();
  }

  @Test
  void nativesNeedNoFlag() {
    Fork.Result result = Fork.withTestClassPath().cache(folder).run(PROBE);
    assertWorks(result, best);
    assertContains(result, "FP32 gemm by OpenBLAS 0.");
  }

  @Test
  void nativesWorkOnTheModulePath() {
    List<String> modules = new ArrayList<>();
    for (String entry : Fork.withTestClassPath().classPath()) {
      boolean product =
          entry.contains("bytedeco")
              || entry.contains("jspecify")
              || entry.endsWith("classes") && !entry.endsWith("test-classes")
              || entry.matches(".*smallmind-(api|presets|native)-[^/]*(?<!tests)\\.jar");
      if (product) {
        modules.add(entry);
      }
    }
    Fork.Result result =
        Fork.withTestClassPath()
            .without(modules::contains)
            .flags("--module-path", String.join(":", modules))
            .flags("--add-modules=ALL-MODULE-PATH")
            .cache(folder)
            .run(PROBE);
    assertWorks(result, best);
    assertContains(result, "FP32 gemm by OpenBLAS 0.");
  }

  @Test
  void everyBackendOfThisMachineCanBeForced() {
    for (String name : ExpectedBackends.backends()) {
      Fork.Result result =
          Fork.withTestClassPath().flags(VECTOR, FORCED + name).cache(folder).run(PROBE);
      assertWorks(result, name);
    }
  }

  @Test
  void forcedJavaDoesNotTouchTheLibrary() {
    Fork.Result result = Fork.withTestClassPath().flags(FORCED + "scalar").cache(folder).run(PROBE);
    assertWorks(result, "scalar");
    assertContains(result, best + ": not loaded, because smallmind.backend asks for scalar");
    assertFalse(result.output().contains("WARNING: A restricted method"), result.output());
    assertFalse(Files.exists(folder.resolve("smallmind")));
  }

  @Test
  void unknownAndForeignNamesAreErrors() {
    assertRefused(
        Fork.withTestClassPath().flags(FORCED + "native-avx9000").cache(folder).run(PROBE),
        "unknown backend 'native-avx9000'; known are native-");
    String foreign = NativePlatform.architecture().equals("arm64") ? "native-avx2" : "native-neon";
    assertRefused(
        Fork.withTestClassPath().flags(FORCED + foreign).cache(folder).run(PROBE),
        "backend '" + foreign + "' can't be used: is for ");
  }

  @Test
  void missingLibrary() {
    String reason = "there is no native library for " + NativePlatform.name();
    Path classes = copyOfClasses(Path.of("none"));
    assertFallsBack(reason, () -> withClasses(classes).cache(folder));
  }

  @Test
  void wrongInterfaceVersion() {
    Path classes = copyOfClasses(compile("-DABI_VERSION=999"));
    assertFallsBack(
        "the native library has interface version 999, these classes need ",
        () -> withClasses(classes).cache(folder));
  }

  @Test
  void wrongResults() {
    Path classes = copyOfClasses(compile());
    assertFallsBack(
        "failed its first calculation: sample matmul with F32 gave ",
        () -> withClasses(classes).cache(folder));
  }

  @Test
  void missingFunctions() {
    Path classes = copyOfClasses(compile("-DLACKS_FUNCTIONS"));
    assertFallsBack(
        "failed its first calculation: 'int io.smallmind.presets.SmallMind.sm_isa_supported(int)'",
        () -> withClasses(classes).cache(folder));
  }

  @Test
  void damagedLibrary() throws IOException {
    Path broken = Files.write(folder.resolve("broken.so"), new byte[5000]);
    Path classes = copyOfClasses(broken);
    assertFallsBack("the native library can't be loaded", () -> withClasses(classes).cache(folder));
  }

  @Test
  void folderThatCannotBeWritten() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertFallsBack(
        "set -Dorg.bytedeco.javacpp.cachedir=FOLDER",
        () -> Fork.withTestClassPath().cache(file.resolve("cache")));
  }

  @Test
  void folderWithoutExecution() throws IOException {
    Path mount = Files.createDirectory(folder.resolve("mount"));
    requireMounts(mount);
    assertFallsBack(
        "nothing may be executed in this folder", () -> mounted(mount, "noexec").cache(mount));
  }

  @Test
  void homeWithoutExecutionLeavesTheTemporaryFolder() throws IOException {
    Path mount = Files.createDirectory(folder.resolve("mount"));
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    requireMounts(mount);
    Fork.Result result =
        mounted(mount, "noexec")
            .flags("-Duser.home=" + mount, "-Djava.io.tmpdir=" + temporary)
            .run(PROBE);
    assertWorks(result, best);
    assertContains(result, temporary.resolve(".javacpp-").toString());
    assertContains(result, "FP32 gemm by OpenBLAS 0.");
  }

  @Test
  void fullDisk() throws IOException {
    Path mount = Files.createDirectory(folder.resolve("mount"));
    requireMounts(mount);
    assertFallsBack("the disk is full", () -> mounted(mount, "size=16k").cache(mount));
  }

  @Test
  void diskTooSmallForOpenBlas() throws IOException {
    Path mount = Files.createDirectory(folder.resolve("mount"));
    requireMounts(mount);
    Fork.Result result = mounted(mount, "size=8m").cache(mount).run(PROBE);
    assertWorks(result, best);
    assertContains(result, "FP32 gemm in Java, because OpenBLAS can't be loaded: ");
  }

  @Test
  void deniedNativeAccess() {
    assertFallsBack(
        "start java with --enable-native-access=ALL-UNNAMED",
        () -> Fork.withTestClassPath().flags("--illegal-native-access=deny").cache(folder));
  }

  @Test
  void missingVectorModule() {
    Path classes = copyOfClasses(Path.of("none"));
    Fork.Result result = withClasses(classes).cache(folder).run(PROBE);
    assertWorks(result, "scalar");
    assertContains(result, "vector: module jdk.incubator.vector is not loaded; start java with");
    assertRefused(
        withClasses(classes).flags(FORCED + "vector").cache(folder).run(PROBE),
        "backend 'vector' can't be used: module jdk.incubator.vector is not loaded");
  }

  @Test
  void missingOpenBlasLibrary() {
    assertOpenBlasFallsBack(entry -> entry.matches(".*openblas-[^/]*-(linux|windows)-[^/]*\\.jar"));
  }

  @Test
  void missingOpenBlasClasses() {
    assertOpenBlasFallsBack(entry -> entry.contains("openblas"));
  }

  private void assertOpenBlasFallsBack(Predicate<String> missing) {
    Fork.Result result = Fork.withTestClassPath().without(missing).cache(folder).run(PROBE);
    assertWorks(result, best);
    assertContains(result, "FP32 gemm in Java, because OpenBLAS can't be loaded: ");
    assertRefused(
        Fork.withTestClassPath().without(missing).flags(FORCED + best).cache(folder).run(PROBE),
        "there is only FP32 gemm in Java, because OpenBLAS can't be loaded: ");
  }

  private interface Forks {
    Fork create();
  }

  /** Automatic: the Vector API works in its place. Forced: an error that gives the same reason. */
  private void assertFallsBack(String reason, Forks forks) {
    Fork.Result automatic = forks.create().flags(VECTOR).run(PROBE);
    assertWorks(automatic, "vector");
    assertContains(automatic, "- " + best + ": ");
    assertContains(automatic, reason);
    assertRefused(forks.create().flags(VECTOR, FORCED + best).run(PROBE), reason);
  }

  private static void assertWorks(Fork.Result result, String backend) {
    assertEquals(0, result.exitCode(), result.output());
    assertEquals(backend, result.line("BACKEND"), result.output());
    assertEquals("RIGHT", result.line("F32"), result.output());
    assertEquals("RIGHT", result.line("Q8_0"), result.output());
  }

  private static void assertRefused(Fork.Result result, String reason) {
    assertEquals(Probe.BACKEND_ERROR, result.exitCode(), result.output());
    assertTrue(result.line("ERROR").contains(reason), result.output());
  }

  private static void assertContains(Fork.Result result, String text) {
    assertTrue(result.output().contains(text), () -> text + " is not in:\n" + result.output());
  }

  private static Fork withClasses(Path classes) {
    return Fork.withTestClassPath().without(entry -> entry.equals(ownClasses())).before(classes);
  }

  private static String ownClasses() {
    return Path.of(
            NativeLibrary.class.getProtectionDomain().getCodeSource().getLocation().getPath())
        .toString();
  }

  /** Copies this module's classes, with the given library for this platform if it exists. */
  private Path copyOfClasses(Path library) {
    Path source = Path.of(ownClasses());
    Path target = folder.resolve("classes");
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path copy = target.resolve(source.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else if (!file.getFileName().toString().equals(NativePlatform.libraryFile())) {
          Files.copy(file, copy);
        } else if (Files.exists(library)) {
          Files.copy(library, copy);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return target;
  }

  private Path compile(String... definitions) {
    Path library = folder.resolve("library.so");
    List<String> command =
        new ArrayList<>(
            List.of("g++", "-shared", "-fPIC", "-I../cpp/include", "-o", library.toString()));
    command.addAll(List.of(definitions));
    command.add("src/test/cpp/broken_library.cpp");
    assertEquals(0, Fork.execute(command).exitCode());
    return library;
  }

  private static Fork mounted(Path mount, String options) {
    return Fork.withTestClassPath()
        .inShell("unshare", "-rm", "sh", "-c", String.format(MOUNT, options), mount.toString());
  }

  private static void requireMounts(Path mount) {
    List<String> command =
        List.of(
            "sh",
            "-c",
            "unshare -rm sh -c '" + String.format(MOUNT, "noexec") + "' \"$0\" true",
            mount.toString());
    if (Fork.execute(command).exitCode() != 0) {
      Natives.skip("file systems can't be mounted in a namespace of one's own here");
    }
  }
}
