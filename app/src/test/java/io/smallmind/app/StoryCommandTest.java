package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StoryCommandTest {
  private static String story(String... options) {
    String[] all = new String[options.length + 5];
    String[] usual = {"story", "--seed", "1", "--max-tokens", "12"};
    System.arraycopy(usual, 0, all, 0, 5);
    System.arraycopy(options, 0, all, 5, options.length);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Main.run(
            all,
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    assertEquals(0, code, err.toString(StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void tellsAStoryTwice() {
    String out = story();
    assertEquals(2, out.split("tokens/s\\]", -1).length - 1, out);
    assertEquals(2, out.split("Once upon a time", -1).length - 1, out);
  }

  @Test
  void tellsItOnceOnTheBackendThatIsAskedFor() {
    String out = story("--backend", "scalar", "--threads", "1");
    assertTrue(out.startsWith("[scalar, threads: 1, "), out);
    assertEquals(1, out.split("Once upon a time", -1).length - 1, out);
  }
}
