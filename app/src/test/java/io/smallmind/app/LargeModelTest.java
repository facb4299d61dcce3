package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.convert.SyntheticModel;
import io.smallmind.kernels.Team;
import io.smallmind.model.ProgressListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models far larger than the heap, as files of holes. */
class LargeModelTest {
  private static final String HEAP = "-Xmx900m";

  @TempDir private Path folder;

  @Test
  void aModelOf70BillionsNeedsLittleHeap() throws Exception {
    ModelShape whole = ModelShape.byName("llama3-70b");
    Path file = write(whole, "whole.gguf");
    assertTrue(Files.size(file) > 37L << 30);
    JsonObject inspected = fork("inspect", file.toString(), "--json");
    assertEquals(80 * 9 + 3, inspected.getAsJsonArray("tensors").size());
  }

  /** Layers are alike, and reading all the holes would take most of a minute: two tell as much. */
  @Test
  void aTokenNeedsLittleHeap() throws Exception {
    ModelShape s = ModelShape.byName("llama3-70b");
    ModelShape two =
        new ModelShape(
            s.name(),
            s.architecture(),
            s.vocabulary(),
            s.context(),
            s.length(),
            2,
            s.heads(),
            s.kvHeads(),
            s.headDim(),
            s.inner(),
            s.ropeBase(),
            s.tied(),
            s.experts());
    String file = write(two, "two.gguf").toString();
    JsonObject generated =
        fork(
            "generate",
            "--model",
            file,
            "--no-pack",
            "--prompt",
            "a",
            "--max-tokens",
            "1",
            "--ignore-end",
            "--context",
            "64",
            "--json");
    assertEquals(1, generated.getAsJsonArray("ids").size());
  }

  private Path write(ModelShape shape, String name) {
    Path file = folder.resolve(name);
    QuantizationMix mix = QuantizationMix.byName("Q4_0");
    SyntheticModel.write(file, shape, mix, 1, true, Team.shared(), ProgressListener.none());
    return file;
  }

  /** Runs a command in a JVM with a small heap; returns what it printed. */
  private JsonObject fork(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(HEAP);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(List.of(arguments));
    Path err = folder.resolve("err");
    Process process = new ProcessBuilder(command).redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), () -> read(err));
    return JsonParser.parseString(out).getAsJsonObject();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
