package io.smallmind.bench.rivals;

import io.smallmind.bench.host.JavaCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A library that is called from Java: its driver is a program of the module bench-drivers. */
abstract class JavaRival implements MatmulRival {
  private static final String DRIVERS = "io.smallmind.drivers.";

  private final Path folder;
  private final Duration patience;
  private final String name;
  private final String driver;
  private final MavenPackages packages;

  /**
   * Creates an adapter.
   *
   * @param rivals where they are installed
   * @param driver name of the class
   * @param coordinates of what Maven fetches; none if the bench has it itself
   */
  JavaRival(RivalSettings rivals, String name, String driver, List<String> coordinates) {
    this.name = name;
    this.driver = driver;
    folder = rivals.folder().resolve(driver);
    patience = rivals.patience();
    packages = new MavenPackages(folder, coordinates);
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public String missing() {
    return packages.classPath().isEmpty() || packages.isInstalled()
        ? ""
        : "not installed; scripts/smallmind bench peers --install fetches it by Maven";
  }

  @Override
  public final String detail() {
    return missing().isEmpty() ? description() : missing();
  }

  /** Returns version and origin. */
  abstract String description();

  @Override
  public void install(Consumer<String> log) throws IOException {
    packages.install(log);
  }

  @Override
  public MatmulEngine openMatmul(Product product, int threads) throws IOException {
    return MatmulEngine.prepare(start(threads), product, threads, Map.of());
  }

  /** Starts the driver's process. */
  final LineProcess start(int threads) throws IOException {
    return start(threads, List.of());
  }

  /**
   * Starts the driver's process.
   *
   * @param options of the JVM
   */
  final LineProcess start(int threads, List<String> options) throws IOException {
    return start(threads, options, environment());
  }

  /**
   * Starts the driver's process.
   *
   * @param options of its JVM
   * @param more of its environment than the number of its threads
   */
  final LineProcess start(int threads, List<String> options, Map<String, String> more)
      throws IOException {
    Files.createDirectories(folder);
    String separator = System.getProperty("path.separator", ":");
    String own = absolute(System.getProperty("java.class.path", ""), separator);
    String before = packages.classPath();
    List<String> all = new ArrayList<>(JavaCommand.computing());
    all.add("-XX:+UseSerialGC"); // No collector's threads beside those that compute.
    all.addAll(options);
    String classPath = before.isEmpty() ? own : before + separator + own;
    List<String> command = JavaCommand.of(all, classPath, DRIVERS + driver);
    String count = Integer.toString(threads);
    Map<String, String> environment = new HashMap<>(more);
    for (String library : List.of("OMP", "OPENBLAS", "MKL")) {
      environment.put(library + "_NUM_THREADS", count);
    }
    return new LineProcess(folder, command, environment, patience);
  }

  /** Returns more of the process' environment than the number of its threads. */
  Map<String, String> environment() {
    return Map.of();
  }

  /** The process runs in another folder. */
  private static String absolute(String classPath, String separator) {
    List<String> entries = new ArrayList<>();
    for (String entry : classPath.split(separator)) {
      entries.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(separator, entries);
  }
}
