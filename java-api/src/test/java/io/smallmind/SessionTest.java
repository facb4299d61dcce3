package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a session remembers and returns, on every backend. */
class SessionTest extends OnTrainedModel {
  @Test
  void runsOnItsBackend() {
    assertEquals(backend, model.backend());
  }

  @Test
  void streamsWhatItReturns() {
    try (Session session = model.newSession()) {
      StringBuilder heard = new StringBuilder();
      GenerationResult result =
          session.generate(
              PROMPT, GenerationOptions.greedy(60), token -> heard.append(token.text()));
      assertTrue(result.text().startsWith(", there was a little girl named Lily."), result.text());
      assertEquals(result.text(), heard.toString());
      assertEquals(FinishReason.LENGTH, result.finishReason());
      assertEquals(5, result.usage().promptTokens());
      assertEquals(60, result.usage().generatedTokens());
      assertEquals(60, result.ids().length);
      assertTrue(result.timings().promptNanos() > 0);
      assertTrue(result.timings().generationNanos() > 0);
      try (Stream<Token> stream = session.stream(PROMPT, GenerationOptions.greedy(60))) {
        StringBuilder streamed = new StringBuilder();
        stream.forEach(token -> streamed.append(token.text()));
        assertEquals(result.text(), streamed.toString());
      }
      assertEquals(result.text(), session.generate(PROMPT, GenerationOptions.greedy(60)).text());
    }
  }

  @Test
  void reusesWhatItRemembers() {
    try (Session session = model.newSession();
        Session fresh = model.newSession()) {
      session.generate(PROMPT, GenerationOptions.greedy(20));
      String longer = PROMPT + ", there was a little girl named Lily. She had";
      GenerationResult again = session.generate(longer, GenerationOptions.greedy(20));
      assertTrue(again.usage().reusedTokens() > 5, again.usage().toString());
      GenerationResult alone = fresh.generate(longer, GenerationOptions.greedy(20));
      assertEquals(0, alone.usage().reusedTokens());
      assertArrayEquals(alone.ids(), again.ids());
    }
  }

  @Test
  void theTextIsWhatWasHeard() {
    try (Session session = model.newSession()) {
      boolean spaced = false;
      for (String prompt : List.of("Once upon a", "Lily and", "The big", "\"", "")) {
        for (long seed = 0; seed < 4; seed++) {
          GenerationOptions.Builder options =
              GenerationOptions.builder().temperature(1.5).topK(0).minP(0).seed(seed).maxTokens(20);
          StringBuilder heard = new StringBuilder();
          String streamed =
              session.generate(prompt, options.build(), token -> heard.append(token.text())).text();
          assertEquals(heard.toString(), streamed);
          assertEquals(streamed, session.generate(prompt, options.build()).text());
          options.stops(List.of("never comes"));
          assertEquals(streamed, session.generate(prompt, options.build()).text());
          spaced |= streamed.startsWith(" ");
        }
      }
      assertTrue(spaced, "no text began with a space");
    }
  }

  @Test
  void forksAndTruncates() {
    try (Session session = model.newSession()) {
      GenerationResult first = session.generate(PROMPT, GenerationOptions.greedy(10));
      try (Session fork = session.fork()) {
        assertArrayEquals(session.ids(), fork.ids());
        fork.generate("The king", GenerationOptions.greedy(10));
        assertEquals(15, session.length());
        session.truncate(7);
        assertEquals(7, session.length());
        assertEquals(first.text(), session.generate(PROMPT, GenerationOptions.greedy(10)).text());
      }
      assertThrows(BadArgumentException.class, () -> session.truncate(1000));
    }
  }

  @Test
  void goesOnWhereItWasSaved(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("session");
    for (TensorType type : List.of(TensorType.F16, TensorType.F32)) {
      SessionOptions options = SessionOptions.defaults().withCacheType(type);
      try (Session session = model.newSession(options)) {
        GenerationResult begin = session.generate(PROMPT, GenerationOptions.greedy(90));
        session.save(file);
        int[] all = session.ids();
        GenerationOptions scored =
            GenerationOptions.builder().temperature(0).maxTokens(30).logProbabilities(5).build();
        GenerationResult rest = session.generate(all, scored, null);
        assertTrue(rest.usage().reusedTokens() >= begin.usage().generatedTokens());
        try (Session restored = model.restoreSession(file, options)) {
          assertArrayEquals(all, restored.ids());
          GenerationResult again = restored.generate(all, scored, null);
          assertArrayEquals(rest.ids(), again.ids());
          assertEquals(rest.logProbabilities(), again.logProbabilities());
          assertEquals(rest.usage(), again.usage());
        }
      }
    }
    byte[] bytes = Files.readAllBytes(file);
    for (int at : new int[] {0, 5, 9, 20, 30, bytes.length / 2, bytes.length - 1}) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 0x11;
      Files.write(file, damaged);
      SessionOptions options = SessionOptions.defaults().withCacheType(TensorType.F32);
      assertThrows(
          io.smallmind.error.SmallMindException.class,
          () -> model.restoreSession(file, options),
          "byte " + at);
      Files.write(file, Arrays.copyOf(bytes, at));
      assertThrows(BadModelFileException.class, () -> model.restoreSession(file, options));
    }
  }

  @Test
  void sessionsTogetherGiveWhatTheyGiveAlone() throws Exception {
    List<String> prompts =
        List.of(
            "Once upon a time",
            "The king said",
            "Lily",
            "A big dog",
            "One day",
            "Tom and",
            "The",
            "She was happy because");
    List<int[]> alone = new ArrayList<>();
    for (String prompt : prompts) {
      try (Session session = model.newSession()) {
        alone.add(session.generate(prompt, GenerationOptions.greedy(60)).ids());
      }
    }
    try (ExecutorService pool = Executors.newFixedThreadPool(prompts.size())) {
      List<Future<int[]>> together = new ArrayList<>();
      for (String prompt : prompts) {
        together.add(
            pool.submit(
                () -> {
                  try (Session session = model.newSession()) {
                    return session.generate(prompt, GenerationOptions.greedy(60)).ids();
                  }
                }));
      }
      for (int i = 0; i < prompts.size(); i++) {
        assertArrayEquals(alone.get(i), together.get(i).get(), prompts.get(i));
      }
    }
  }

  @Test
  void refusesWhatItCanNotDo() {
    try (Session session = model.newSession()) {
      GenerationOptions one = GenerationOptions.greedy(1);
      assertThrows(BadArgumentException.class, () -> session.generate(new int[] {512}, one, null));
      assertThrows(BadArgumentException.class, () -> session.generate(new int[] {-1}, one, null));
      try (Generation running = session.start(PROMPT, GenerationOptions.greedy(5))) {
        assertTrue(running.hasNext());
        assertThrows(BadArgumentException.class, () -> session.generate(PROMPT, one));
      }
      assertEquals(1, session.generate(PROMPT, one).ids().length);
      assertEquals(0, session.generate(PROMPT, GenerationOptions.greedy(0)).ids().length);
      // Nothing but the token at the beginning of a text.
      assertTrue(session.generate("", GenerationOptions.greedy(5)).text().startsWith(" Once"));
    }
    for (double bad : new double[] {-1, Double.NaN}) {
      assertThrows(
          BadArgumentException.class, () -> GenerationOptions.builder().temperature(bad).build());
      assertThrows(BadArgumentException.class, () -> GenerationOptions.builder().topP(bad).build());
    }
    Session closed = model.newSession();
    closed.close();
    closed.close();
    assertThrows(ClosedException.class, () -> closed.generate(PROMPT, GenerationOptions.greedy(1)));
  }

  @Test
  void embedsTexts() {
    for (Pooling pooling : Pooling.values()) {
      float[] vector = model.embed("A little girl", pooling);
      assertEquals(64, vector.length);
      double squares = 0;
      for (float value : vector) {
        squares += (double) value * value;
      }
      assertEquals(1, squares, 1e-5);
      assertFalse(Arrays.equals(vector, model.embed("The dog", pooling)) && pooling != Pooling.CLS);
    }
  }

  @Test
  void allocatesNothingPerToken() {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    try (Session session = model.newSession()) {
      GenerationOptions options =
          GenerationOptions.builder().maxTokens(400).ignoreEnd(true).seed(1).build();
      long least = Long.MAX_VALUE;
      // Interpreted code does allocate, and on a busy machine the compiler comes late.
      long deadline = System.nanoTime() + 60_000_000_000L;
      for (int attempt = 0;
          least > 0 && (attempt < 12 || System.nanoTime() < deadline);
          attempt++) {
        long before = 0;
        try (Generation generation = session.startUnheard(new int[] {1}, options)) {
          for (int step = 0; step < 300; step++) {
            if (step == 10) {
              before = threads.getCurrentThreadAllocatedBytes();
            }
            assertTrue(generation.step());
          }
          least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
      }
      assertEquals(0, least);
    }
  }
}
