import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Builds the native library of every platform that this machine has a compiler for: the C++ kernels
 * by CMake, then the JNI part by JavaCPP, which links both into one library.
 *
 * <p>Run by Maven: {@code java BuildNatives.java SOURCE_FOLDER CPP_FOLDER PRESETS_CLASSES
 * PRESETS_HEADERS WORK_FOLDER OUTPUT_FOLDER}, with JavaCPP on the class path; the source folder is
 * the one of this file. The library of a platform comes to lie in {@code OUTPUT_FOLDER/PLATFORM}. What is up to
 * date is left alone.
 *
 * <p>A platform without its compiler is skipped, which the log says; in CI (environment variable
 * {@code CI}) that is an error. The environment variable {@code SMALLMIND_PLATFORMS} restricts the
 * build to some platforms, separated by commas; {@code host} is the one this runs on.
 */
public final class BuildNatives {
  private static final String PRESET = "io.smallmind.presets.SmallMind";

  /**
   * A platform to build for.
   *
   * @param name as JavaCPP calls it
   * @param compilers commands to try, best first
   * @param remedy the system package with such a compiler
   * @param javacpp JavaCPP's name for this set of build properties
   * @param library file name of the result
   * @param options for the compiler that links the library
   */
  private record Platform(
      String name,
      List<String> compilers,
      String remedy,
      String javacpp,
      String library,
      List<String> options) {
    boolean isWindows() {
      return name.startsWith("windows");
    }

    /** Returns what JavaCPP puts between folders for this platform, wherever it runs itself. */
    String separator() {
      return isWindows() ? ";" : ":";
    }
  }

  /** Only the JNI functions may be visible: other libraries may bring another C++ runtime. */
  private static final List<String> HIDE =
      List.of("-std=c++17", "-fvisibility=hidden", "-Wl,--exclude-libs,ALL", "-static-libstdc++");

  /** A statically linked libgcc on Linux would need a newer C library than OpenBLAS does. */
  private static final List<String> WINDOWS =
      List.of("-std=c++17", "-fvisibility=hidden", "-Wl,--exclude-all-symbols", "-static");

  private static final List<Platform> PLATFORMS =
      List.of(
          new Platform(
              "linux-x86_64",
              compilers("linux-x86_64", "x86_64-linux-gnu-g++"),
              "g++",
              "linux-x86_64",
              "libjniSmallMind.so",
              HIDE),
          new Platform(
              "linux-arm64",
              compilers("linux-arm64", "aarch64-linux-gnu-g++"),
              "g++-aarch64-linux-gnu",
              "linux-arm64",
              "libjniSmallMind.so",
              HIDE),
          new Platform(
              "windows-x86_64",
              List.of("x86_64-w64-mingw32-g++-posix", "x86_64-w64-mingw32-g++"),
              "g++-mingw-w64-x86-64-posix",
              "windows-x86_64-mingw",
              "jniSmallMind.dll",
              WINDOWS));

  private final Path sources;
  private final Path cpp;
  private final Path presets;
  private final Path presetsHeaders;
  private final Path work;
  private final Path output;

  private BuildNatives(List<Path> folders) {
    sources = folders.get(0);
    cpp = folders.get(1);
    presets = folders.get(2);
    presetsHeaders = folders.get(3);
    work = folders.get(4);
    output = folders.get(5);
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    List<Path> folders =
        Stream.of(args).map(arg -> Path.of(arg).toAbsolutePath().normalize()).toList();
    try {
      new BuildNatives(folders).run();
    } catch (BuildFailure e) {
      log("ERROR: " + e.getMessage());
      System.exit(1);
    }
  }

  private static boolean isWanted(Platform platform) {
    String wanted = System.getenv("SMALLMIND_PLATFORMS");
    if (wanted == null || wanted.isBlank()) {
      return true;
    }
    List<String> names = Stream.of(wanted.split(",")).map(String::strip).toList();
    for (String name : names) {
      if (!name.equals("host") && PLATFORMS.stream().noneMatch(each -> each.name.equals(name))) {
        throw new BuildFailure(
            "SMALLMIND_PLATFORMS="
                + wanted
                + ": there is no platform '"
                + name
                + "', only host and "
                + PLATFORMS.stream().map(Platform::name).toList());
      }
    }
    return names.contains(platform.name)
        || (names.contains("host") && platform.name.equals(host()));
  }

  private void run() throws IOException, InterruptedException {
    List<String> built = new ArrayList<>();
    List<String> skipped = new ArrayList<>();
    Optional<String> cmake = find(List.of("cmake"));
    for (Platform platform : PLATFORMS) {
      if (!isWanted(platform)) {
        Files.deleteIfExists(output.resolve(platform.name).resolve(platform.library));
        log("left out " + platform.name + ", as SMALLMIND_PLATFORMS says");
        continue;
      }
      Optional<String> compiler = find(platform.compilers);
      if (cmake.isPresent() && compiler.isPresent()) {
        build(platform, cmake.get(), compiler.get());
        built.add(platform.name);
      } else {
        Files.deleteIfExists(output.resolve(platform.name).resolve(platform.library));
        String missing = cmake.isEmpty() ? "cmake" : platform.remedy;
        log(
            "SKIPPED "
                + platform.name
                + ": "
                + (cmake.isEmpty() ? "cmake" : String.join(" or ", platform.compilers))
                + " not found; install it: apt-get install "
                + missing);
        skipped.add(platform.name);
      }
    }
    if (!skipped.isEmpty() && System.getenv("CI") != null) {
      throw new BuildFailure("in CI every platform must be built; missing " + skipped);
    }
    if (built.isEmpty()) {
      log("NO NATIVE LIBRARY: this build makes a pure-Java jar; it works, but is slower");
    } else {
      log("native libraries: " + built + (skipped.isEmpty() ? "" : ", skipped: " + skipped));
    }
  }

  private void build(Platform platform, String cmake, String compiler)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(work.resolve(platform.name));
    Path archive = compileKernels(platform, cmake, compiler, folder.resolve("cmake"));
    Path result = output.resolve(platform.name).resolve(platform.library);
    Path stamp = folder.resolve("stamp");
    String state = state(platform, compiler, archive);
    if (Files.exists(result)
        && Files.exists(stamp)
        && Files.readString(stamp).equals(state + ' ' + hash(result))) {
      log("up to date: " + platform.name);
      return;
    }
    Files.deleteIfExists(stamp);
    Path jni = folder.resolve("jni");
    link(platform, compiler, archive.getParent(), jni);
    Files.createDirectories(result.getParent());
    Files.copy(jni.resolve(platform.library), result, StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(stamp, state + ' ' + hash(result));
    log("BUILT " + platform.name + ": " + Files.size(result) / 1024 + " KiB by " + compiler);
  }

  /** Returns the static library of the kernels. */
  private Path compileKernels(Platform platform, String cmake, String compiler, Path folder)
      throws IOException, InterruptedException {
    if (!isConfigured(folder, compiler)) {
      Files.deleteIfExists(folder.resolve("CMakeCache.txt"));
      List<String> configure =
          new ArrayList<>(
              List.of(
                  cmake,
                  "-S",
                  cpp.toString(),
                  "-B",
                  folder.toString(),
                  "-DCMAKE_BUILD_TYPE=Release",
                  "-DCMAKE_CXX_COMPILER=" + compiler));
      if (!platform.name.equals(host())) {
        configure.add("-DCMAKE_TOOLCHAIN_FILE=" + cpp.resolve("cmake/" + platform.name + ".cmake"));
      }
      execute(configure, null);
    }
    int jobs = Runtime.getRuntime().availableProcessors();
    execute(
        List.of(
            cmake, "--build", folder.toString(), "--target", "smallmind", "--parallel", "" + jobs),
        null);
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.getFileName().toString().equals("libsmallmind.a"))
          .findFirst()
          .orElseThrow(() -> new BuildFailure("CMake made no libsmallmind.a in " + folder));
    }
  }

  /** Tells whether CMake has made this folder, for these sources and this compiler. */
  private boolean isConfigured(Path folder, String compiler) throws IOException {
    Path cache = folder.resolve("CMakeCache.txt");
    if (!Files.exists(cache) || !Files.exists(folder.resolve("cmake_install.cmake"))) {
      return false;
    }
    Set<String> entries = new HashSet<>(); // name:type=value
    for (String line : Files.readAllLines(cache)) {
      entries.add(line.replaceFirst(":[A-Z]+=", "="));
    }
    return entries.containsAll(
        List.of(
            "CMAKE_CACHEFILE_DIR=" + folder,
            "CMAKE_HOME_DIRECTORY=" + cpp,
            "CMAKE_BUILD_TYPE=Release",
            "CMAKE_CXX_COMPILER=" + compiler));
  }

  /** Lets JavaCPP write the JNI part, compile it and link it with the kernels. */
  private void link(Platform platform, String compiler, Path archiveFolder, Path jni)
      throws IOException, InterruptedException {
    Path own = sources.resolve(platform.name);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "org.bytedeco.javacpp.tools.Builder",
                "-cp",
                presets.toString(),
                "-d",
                jni.toString(),
                "-properties",
                platform.javacpp,
                "-Dplatform.compiler=" + compiler,
                // JavaCPP's own value would leave this machine's folders in the library.
                "-Dplatform.linkpath.prefix2=" + (platform.isWindows() ? "-L" : "-Wl,-rpath-link,"),
                "-Dplatform.linkpath=" + archiveFolder,
                "-Dplatform.includepath="
                    + (Files.isDirectory(own) ? own + platform.separator() : "")
                    + cpp.resolve("include")
                    + platform.separator()
                    + presetsHeaders));
    for (String option : platform.options) {
      command.addAll(List.of("-Xcompiler", option));
    }
    command.add(PRESET);
    execute(command, jni);
    if (!Files.exists(jni.resolve(platform.library))) {
      throw new BuildFailure("JavaCPP made no " + platform.library + " in " + jni);
    }
  }

  /** Returns a text that changes whenever the library has to be linked anew. */
  private String state(Platform platform, String compiler, Path archive)
      throws IOException, InterruptedException {
    return hash(
        archive,
        presets.resolve(PRESET.replace('.', '/') + ".class"),
        cpp.resolve("include/smallmind.h"),
        cpp.resolve("include/smallmind_limits.h"),
        presetsHeaders.resolve("smallmind_blas.h"),
        Path.of(compiler).toRealPath()) + '-' + platform.hashCode();
  }

  private static String hash(Path... files) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs a command; its output is shown only if it fails. */
  private static void execute(List<String> command, Path newFolder)
      throws IOException, InterruptedException {
    if (newFolder != null) {
      Files.createDirectories(newFolder);
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new BuildFailure("failed: " + String.join(" ", command) + '\n' + text);
    }
  }

  /** Returns the full path of the first of these commands that there is. */
  private static Optional<String> find(List<String> commands) {
    for (String command : commands) {
      for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
        Path file = Path.of(folder).resolve(command);
        if (Files.isExecutable(file)) {
          return Optional.of(file.toString());
        }
      }
    }
    return Optional.empty();
  }

  /** Returns the native compilers on the platform itself, else the cross compiler. */
  private static List<String> compilers(String platform, String cross) {
    if (!platform.equals(host())) {
      return List.of(cross);
    }
    String chosen = System.getenv("CXX");
    return chosen == null || chosen.isBlank()
        ? List.of("g++", "clang++", "c++")
        : List.of(chosen);
  }

  private static String host() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (system.startsWith("windows") ? "windows" : system.startsWith("mac") ? "macosx" : system)
        + '-'
        + (processor.equals("amd64") ? "x86_64" : processor.equals("aarch64") ? "arm64" : processor);
  }

  private static void log(String line) {
    System.out.println("[natives] " + line);
  }

  /** What ends the build with a message. */
  private static final class BuildFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BuildFailure(String message) {
      super(message);
    }
  }
}
