package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.testing.TestData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Ctrl-C, which is a signal to this very process: it ends what runs, and not the process. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(60)
class InterruptTest {
  private static final String[] ENDLESS = {
    "-n", "10000000", "--ignore-end", "--overflow", "shift", "--context", "64"
  };

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String in, String... args) {
    return Main.run(
        args,
        new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private static String[] endless(String... args) {
    String[] all = java.util.Arrays.copyOf(args, args.length + ENDLESS.length);
    System.arraycopy(ENDLESS, 0, all, args.length, ENDLESS.length);
    return all;
  }

  /** Sends the signal once more than so many bytes of text came. */
  private void interruptBehind(int bytes) throws IOException, InterruptedException {
    while (out.size() <= bytes) {
      Thread.sleep(5);
    }
    String self = String.valueOf(ProcessHandle.current().pid());
    assertEquals(0, new ProcessBuilder("kill", "-INT", self).start().waitFor());
  }

  @Test
  void endsTheText() throws Exception {
    String model = TestData.path("models/stories260K.gguf").toString();
    try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
      Future<Integer> code =
          pool.submit(() -> run("", endless("generate", "-m", model, "-p", "Once upon a time")));
      interruptBehind(20);
      assertEquals(Main.INTERRUPTED, code.get(30, TimeUnit.SECONDS), err::toString);
    }
  }

  @Test
  void endsOneAnswerOfATalk() throws Exception {
    String model = TestData.path("models/stories260K.gguf").toString();
    try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
      Future<Integer> code =
          pool.submit(() -> run("Hi\n/stats\nHello\n/exit\n", endless("chat", "-m", model)));
      interruptBehind(20);
      // Only the end of the first answer lets the second one begin.
      while (!err.toString(StandardCharsets.UTF_8).contains("tok")) {
        Thread.sleep(5);
      }
      interruptBehind(out.size());
      assertEquals(Main.DONE, code.get(30, TimeUnit.SECONDS), err::toString);
    }
    assertTrue(out.toString(StandardCharsets.UTF_8).lines().count() >= 2);
  }
}
