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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Ctrl-C, which is a signal to this very process: it ends what runs, and not the process. */
@DisabledOnOs(OS.WINDOWS)
class InterruptTest {
  /** Takes long enough to be interrupted, and ends all the same if it is not. */
  private static final int TOKENS = 20_000;

  private static final String[] LONG = {
    "-n", "" + TOKENS, "--ignore-end", "--overflow", "shift", "--context", "64"
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

  private static String[] lengthen(String... args) {
    String[] all = java.util.Arrays.copyOf(args, args.length + LONG.length);
    System.arraycopy(LONG, 0, all, args.length, LONG.length);
    return all;
  }

  /** Sends the signal once more than so many bytes of text came. */
  private void interruptBehind(int bytes, Future<Integer> code)
      throws IOException, InterruptedException {
    while (out.size() <= bytes && !code.isDone()) {
      Thread.sleep(5);
    }
    String self = String.valueOf(ProcessHandle.current().pid());
    if (!code.isDone()) { // Otherwise it would end the test.
      assertEquals(0, new ProcessBuilder("kill", "-INT", self).start().waitFor());
    }
  }

  @Test
  void endsTheText() throws Exception {
    String model = TestData.path("models/stories260K.gguf").toString();
    try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
      Future<Integer> code =
          pool.submit(() -> run("", lengthen("generate", "-m", model, "-p", "Once upon a time")));
      interruptBehind(20, code);
      assertEquals(Main.INTERRUPTED, code.get(), err::toString);
    }
  }

  @Test
  void endsOneAnswerOfATalk() throws Exception {
    String model = TestData.path("models/stories260K.gguf").toString();
    try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
      Future<Integer> code =
          pool.submit(() -> run("Hi\n/stats\nHello\n/exit\n", lengthen("chat", "-m", model)));
      interruptBehind(20, code);
      // Only the end of the first answer lets the second one begin.
      while (!err.toString(StandardCharsets.UTF_8).contains("tok") && !code.isDone()) {
        Thread.sleep(5);
      }
      interruptBehind(out.size(), code);
      assertEquals(Main.DONE, code.get(), err::toString);
    }
    // A token is some letters long.
    assertTrue(out.size() < TOKENS, "nothing was interrupted");
  }
}
