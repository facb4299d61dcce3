package io.smallmind.bench.rivals;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** llama.cpp as the npm package node-llama-cpp brings it, prebuilt for every kind of CPU. */
public final class NodeLlamaCpp implements ModelRival {
  /** Name on the command line and in results. */
  public static final String NAME = "llama.cpp";

  private static final String VERSION = "3.22.1";
  private static final String SCRIPT = "llama-cpp.mjs";

  private final NodePackages packages;

  /**
   * Creates an adapter.
   *
   * @param rivals where they are installed
   */
  public NodeLlamaCpp(RivalSettings rivals) {
    packages = new NodePackages(rivals, NAME);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String missing() {
    return packages.missing("@node-llama-cpp/" + platform());
  }

  @Override
  public String detail() {
    if (!missing().isEmpty()) {
      return missing();
    }
    String release = "";
    try {
      Path built = libraries().resolve("_nlcBuildMetadata.json");
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
    // Optional packages are GPU builds of hundreds of megabytes; the one for this CPU is named.
    packages.install(
        log,
        List.of(
            "--ignore-scripts",
            "--omit=optional",
            "@node-llama-cpp/" + platform() + "@" + VERSION,
            "node-llama-cpp@" + VERSION));
  }

  /** Returns the folder of the libraries for this machine. */
  Path libraries() {
    return packages.folder("@node-llama-cpp/" + platform()).resolve("bins/" + platform());
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
  public boolean tellsLoading() {
    return true;
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    return LineModelEngine.load(packages.start(SCRIPT), setup.model(), setup);
  }
}
