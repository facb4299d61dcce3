package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program that builds the libraries, on a machine without any compiler. */
class BuildNativesTest {
  @TempDir Path folder;

  @Test
  void saysThatTheJarWillBePureJava() throws IOException {
    Fork.Result result = build(Map.of("PATH", folder.toString()));
    assertEquals(0, result.exitCode(), result.output());
    for (String platform : List.of("linux-x86_64", "linux-arm64", "windows-x86_64")) {
      assertTrue(
          result.output().contains("[natives] SKIPPED " + platform + ": cmake not found"),
          result.output());
    }
    assertTrue(
        result.output().contains("[natives] NO NATIVE LIBRARY: this build makes a pure-Java jar"),
        result.output());
  }

  @Test
  void failsInCi() throws IOException {
    Fork.Result result = build(Map.of("PATH", folder.toString(), "CI", "true"));
    assertEquals(1, result.exitCode(), result.output());
    assertTrue(
        result.output().contains("[natives] ERROR: in CI every platform must be built"),
        result.output());
  }

  private Fork.Result build(Map<String, String> environment) {
    String output = folder.toString();
    return Fork.execute(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "src/build/BuildNatives.java",
            "src/build",
            "../cpp",
            output,
            output,
            output,
            output),
        environment);
  }
}
