package io.smallmind.bench.rivals;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** llama.cpp as the npm package node-llama-cpp brings it, prebuilt for every kind of CPU. */
public final class NodeLlamaCpp implements ModelRival {
  /** Name on the command line and in results. */
  public static final String NAME = "llama.cpp";

  private static final String VERSION = "3.22.1";
  private static final String SCRIPT = "llama-cpp.mjs";
  private static final long INSTALL_SECONDS = 900;
  private static final long VERSION_SECONDS = 20;

  private final Path folder;

  /**
   * Creates an adapter.
   *
   * @param rivals folder where rivals are installed
   */
  public NodeLlamaCpp(Path rivals) {
    folder = rivals.resolve(NAME);
  }

  @Override
  public String name() {
    return NAME;
  }

  private Path binaries() {
    return folder.resolve("node_modules/@node-llama-cpp/" + platform());
  }

  @Override
  public String missing() {
    return Files.isDirectory(binaries())
        ? ""
        : "not installed; scripts/smallmind bench peers --install fetches it from npm";
  }

  @Override
  public String detail() {
    if (!missing().isEmpty()) {
      return missing();
    }
    String release = "";
    try {
      Path built = binaries().resolve("bins/" + platform() + "/_nlcBuildMetadata.json");
      release =
          JsonParser.parseString(Files.readString(built))
              .getAsJsonObject()
              .getAsJsonObject("buildOptions")
              .getAsJsonObject("llamaCpp")
              .get("release")
              .getAsString();
    } catch (IOException | RuntimeException e) {
      release = "of unknown release"; // The version of the package still tells.
    }
    return "llama.cpp " + release + " prebuilt in node-llama-cpp " + VERSION;
  }

  @Override
  public void install(Consumer<String> log) throws IOException {
    Files.createDirectories(folder);
    Path home = folder.resolve("package.json");
    if (!Files.exists(home)) {
      Files.writeString(home, "{\"private\": true}\n");
    }
    log.accept("npm install node-llama-cpp@" + VERSION + " into " + folder);
    // Optional packages are GPU builds of hundreds of megabytes; the one for this CPU is named.
    Commands.Result result =
        Commands.run(
            folder,
            INSTALL_SECONDS,
            List.of(
                "npm",
                "install",
                "--ignore-scripts",
                "--omit=dev",
                "--omit=optional",
                "--no-audit",
                "--no-fund",
                "node-llama-cpp@" + VERSION,
                "@node-llama-cpp/" + platform() + "@" + VERSION));
    if (result.exitCode() != 0) {
      throw new IOException("npm install failed: " + result.complaint());
    }
  }

  private static String platform() {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    boolean arm = System.getProperty("os.arch", "").equals("aarch64");
    if (os.startsWith("mac")) {
      return arm ? "mac-arm64-metal" : "mac-x64";
    }
    return (os.startsWith("windows") ? "win-" : "linux-") + (arm ? "arm64" : "x64");
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    if (Commands.run(folder, VERSION_SECONDS, List.of("node", "--version")).exitCode() != 0) {
      throw new IOException("node does not run; install Node.js 20 or newer");
    }
    try (InputStream script = NodeLlamaCpp.class.getResourceAsStream(SCRIPT)) {
      if (script == null) {
        throw new IOException("the bench lacks its own resource " + SCRIPT);
      }
      Files.copy(script, folder.resolve(SCRIPT), StandardCopyOption.REPLACE_EXISTING);
    }
    return LineModelEngine.load(
        new LineProcess(folder, List.of("node", SCRIPT), Map.of()), setup.model(), setup);
  }
}
