package io.smallmind.bench.rivals;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A folder of packages that npm fetches, and the scripts that run there. */
final class NodePackages {
  private static final long INSTALL_SECONDS = 900;
  private static final long VERSION_SECONDS = 20;

  private final Path folder;
  private final Duration patience;

  NodePackages(RivalSettings rivals, String name) {
    folder = rivals.folder().resolve(name);
    patience = rivals.patience();
  }

  /** Returns the folder of a package. */
  Path folder(String name) {
    return folder.resolve("node_modules").resolve(name);
  }

  /** Returns what to do if a package is not there; empty if it is. */
  String missing(String name) {
    return Files.isDirectory(folder(name))
        ? ""
        : "not installed; scripts/smallmind bench peers --install fetches it from npm";
  }

  /** Returns the version that is installed. */
  String version(String name) {
    try {
      return JsonParser.parseString(Files.readString(folder(name).resolve("package.json")))
          .getAsJsonObject()
          .get("version")
          .getAsString();
    } catch (IOException | RuntimeException e) {
      return "of unknown version";
    }
  }

  /**
   * Installs packages.
   *
   * @param arguments options, and names with versions
   */
  void install(Consumer<String> log, List<String> arguments) throws IOException {
    Files.createDirectories(folder);
    Path home = folder.resolve("package.json");
    if (!Files.exists(home)) {
      Files.writeString(home, "{\"private\": true}\n");
    }
    log.accept("npm install " + arguments.getLast() + " into " + folder);
    List<String> command =
        new ArrayList<>(List.of("npm", "install", "--omit=dev", "--no-audit", "--no-fund"));
    command.addAll(arguments);
    Commands.Result result = Commands.run(folder, INSTALL_SECONDS, command);
    if (result.exitCode() != 0) {
      throw new IOException("npm install failed: " + result.complaint());
    }
  }

  /** Starts a script of the bench's resources. */
  LineProcess start(String script) throws IOException {
    if (Commands.run(folder, VERSION_SECONDS, List.of("node", "--version")).exitCode() != 0) {
      throw new IOException("node does not run; install Node.js 20 or newer");
    }
    try (InputStream stream = NodePackages.class.getResourceAsStream(script)) {
      if (stream == null) {
        throw new IOException("the bench lacks its own resource " + script);
      }
      Files.copy(stream, folder.resolve(script), StandardCopyOption.REPLACE_EXISTING);
    }
    return new LineProcess(folder, List.of("node", script), Map.of(), patience);
  }
}
