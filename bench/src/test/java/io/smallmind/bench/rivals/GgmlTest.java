package io.smallmind.bench.rivals;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgmlTest {
  @TempDir private Path folder;

  /** Stops it before anything is fetched. */
  @Test
  void isInstalledWithLlamaCpp() {
    Rival ggml = new Ggml(new RivalSettings(folder, Duration.ofSeconds(10)));
    var stopped =
        assertThrows(
            IllegalStateException.class,
            () ->
                ggml.install(
                    line -> {
                      throw new IllegalStateException(line);
                    }));
    assertTrue(String.valueOf(stopped.getMessage()).contains("node-llama-cpp@"));
    assertEquals("ggml", ggml.name());
  }
}
