package io.smallmind.bench.rivals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Libraries that Maven fetches, and all that they need, in a folder. */
final class MavenPackages {
  private static final String COPY =
      "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
  private static final long INSTALL_SECONDS = 1200;

  private final Path folder;
  private final List<String> coordinates;

  /**
   * Describes packages.
   *
   * @param coordinates {@code group:artifact:version[:classifier]} each
   */
  MavenPackages(Path folder, List<String> coordinates) {
    this.folder = folder;
    this.coordinates = List.copyOf(coordinates);
  }

  /** Returns the classifier of this machine's native libraries, as JavaCPP's presets name it. */
  static String platform() {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    boolean arm = System.getProperty("os.arch", "").equals("aarch64");
    String system =
        os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : "linux";
    return system + (arm ? "-arm64" : "-x86_64");
  }

  private Path libraries() {
    return folder.resolve("lib");
  }

  /** Returns whether these very packages were fetched. */
  boolean isInstalled() {
    Path done = folder.resolve("installed.xml");
    try {
      return Files.isDirectory(libraries())
          && Files.exists(done)
          && Files.readString(done).equals(project());
    } catch (IOException e) {
      return false; // Fetching them anew tells what is wrong.
    }
  }

  /** Returns what to put before a class path; empty if there are no packages. */
  String classPath() {
    return coordinates.isEmpty() ? "" : libraries() + "/*";
  }

  void install(Consumer<String> log) throws IOException {
    if (coordinates.isEmpty()) {
      return;
    }
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("pom.xml"), project());
    log.accept("mvn copies " + String.join(", ", coordinates) + " into " + libraries());
    Commands.Result result =
        Commands.run(
            folder,
            INSTALL_SECONDS,
            List.of("mvn", "-q", "-B", "-ntp", COPY, "-DoutputDirectory=" + libraries()));
    if (result.exitCode() != 0) {
      throw new IOException("mvn failed: " + result.complaint());
    }
    Files.writeString(folder.resolve("installed.xml"), project());
  }

  private String project() {
    return """
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>io.smallmind.rival</groupId>
      <artifactId>rival</artifactId>
      <version>1</version>
      <packaging>pom</packaging>
      <dependencies>
    %s
      </dependencies>
    </project>
    """
        .formatted(
            coordinates.stream().map(MavenPackages::dependency).collect(Collectors.joining("\n")));
  }

  private static String dependency(String coordinates) {
    String[] parts = coordinates.split(":");
    return "    <dependency><groupId>"
        + parts[0]
        + "</groupId><artifactId>"
        + parts[1]
        + "</artifactId><version>"
        + parts[2]
        + "</version>"
        + (parts.length > 3 ? "<classifier>" + parts[3] + "</classifier>" : "")
        + "</dependency>";
  }
}
