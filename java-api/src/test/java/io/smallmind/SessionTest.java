package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.ContextOverflowException;
import io.smallmind.sampling.Grammar;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions of a trained model, on every backend. */
@ParameterizedClass
@MethodSource("io.smallmind.testing.Backends#names")
class SessionTest {
  private static final String PROMPT = "Once upon a time";

  private static LanguageModel model;

  @Parameter private String backend;

  @BeforeParameterizedClassInvocation
  static void load(String backend) {
    ModelOptions options = ModelOptions.defaults().withBackend(backend);
    model = LanguageModel.load(TestData.path("models/stories260K.gguf"), options);
  }

  @AfterParameterizedClassInvocation
  static void close() {
    if (model != null) {
      model.close();
    }
  }

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
  void stopsAtTextsThatSpanTokens() {
    try (Session session = model.newSession()) {
      GenerationOptions options =
          GenerationOptions.builder()
              .temperature(0)
              .maxTokens(100)
              .stops(List.of("never comes", "named Lily"))
              .build();
      StringBuilder heard = new StringBuilder();
      GenerationResult result =
          session.generate(PROMPT, options, token -> heard.append(token.text()));
      assertEquals(FinishReason.STOP, result.finishReason());
      assertEquals(", there was a little girl ", result.text());
      assertEquals(result.text(), heard.toString());
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
  void constraintsAndOtherEnds() {
    try (Session session = model.newSession()) {
      GenerationOptions.Builder options =
          GenerationOptions.builder()
              .temperature(0)
              .ignoreEnd(true)
              .constraint(Grammar.parse("root ::= \" the cat\" (\" sat on\" \" the mat\")"));
      // Where nothing may follow, the text ends without a token for the end.
      GenerationResult whole = session.generate(PROMPT, options.build());
      assertEquals(" the cat sat on the mat", whole.text());
      assertEquals(FinishReason.END, whole.finishReason());
      int tokens = whole.ids().length;
      assertEquals(
          FinishReason.END,
          session.generate(PROMPT, options.maxTokens(tokens).build()).finishReason());
      GenerationResult cut = session.generate(PROMPT, options.maxTokens(tokens - 1).build());
      assertEquals(FinishReason.LENGTH, cut.finishReason());
      assertTrue(whole.text().startsWith(cut.text()));
      // A stop string ends it earlier; one that only begins to appear takes nothing away.
      options.maxTokens(100);
      GenerationResult stopped = session.generate(PROMPT, options.stops(List.of("on")).build());
      assertEquals(FinishReason.STOP, stopped.finishReason());
      assertEquals(" the cat sat ", stopped.text());
      GenerationResult held = session.generate(PROMPT, options.stops(List.of("mats")).build());
      assertEquals(FinishReason.END, held.finishReason());
      assertEquals(whole.text(), held.text());
      // The end stays the end where the text could go on.
      options.constraint(Grammar.parse("root ::= (\" a\" | \" the\")+")).stops(List.of());
      int end = model.tokenizer().eosId();
      GenerationResult ended =
          session.generate(PROMPT, options.logitBias(Map.of(end, 1e6f)).build());
      assertEquals(FinishReason.END, ended.finishReason());
      assertTrue(ended.text().matches("( a| the)+"), ended.text());
    }
  }

  @Test
  void theSeedDecides() {
    try (Session session = model.newSession()) {
      GenerationOptions.Builder options = GenerationOptions.builder().maxTokens(40);
      String first = session.generate(PROMPT, options.seed(7).build()).text();
      assertEquals(first, session.generate(PROMPT, options.seed(7).build()).text());
      assertNotEquals(first, session.generate(PROMPT, options.seed(8).build()).text());
    }
  }

  @Test
  void everySamplingOptionTakesEffect() {
    try (Session session = model.newSession()) {
      int[] greedy = session.generate(PROMPT, GenerationOptions.greedy(30)).ids();
      // Filters that leave one token make a draw greedy.
      List<GenerationOptions.Builder> narrow =
          List.of(
              GenerationOptions.builder().topK(1),
              GenerationOptions.builder().topK(0).topP(1e-9),
              GenerationOptions.builder().minP(1));
      for (GenerationOptions.Builder options : narrow) {
        assertArrayEquals(
            greedy, session.generate(PROMPT, options.maxTokens(30).seed(3).build()).ids());
      }
      List<GenerationOptions.Builder> changing =
          List.of(
              GenerationOptions.builder().temperature(0).repetitionPenalty(1.8),
              GenerationOptions.builder().temperature(0).frequencyPenalty(4),
              GenerationOptions.builder().temperature(0).presencePenalty(8),
              GenerationOptions.builder()
                  .temperature(0)
                  .logitBias(Map.of(greedy[3], Float.NEGATIVE_INFINITY)),
              GenerationOptions.builder().temperature(3).topK(0).topP(1).minP(0).seed(1),
              GenerationOptions.builder().temperature(2).topK(0).topP(1).minP(0).typicalP(0.3));
      for (GenerationOptions.Builder options : changing) {
        int[] ids = session.generate(PROMPT, options.maxTokens(30).build()).ids();
        assertFalse(Arrays.equals(greedy, ids), options.build().toString());
      }
      int[] biased =
          session
              .generate(
                  PROMPT,
                  GenerationOptions.builder()
                      .temperature(0)
                      .maxTokens(5)
                      .logitBias(Map.of(100, 1e6f))
                      .build())
              .ids();
      assertArrayEquals(new int[] {100, 100, 100, 100, 100}, biased);
    }
  }

  @Test
  void reportsLogProbabilities() {
    try (Session session = model.newSession()) {
      GenerationResult result =
          session.generate(
              PROMPT,
              GenerationOptions.builder().temperature(0).maxTokens(5).logProbabilities(3).build());
      assertEquals(5, result.logProbabilities().size());
      for (int i = 0; i < 5; i++) {
        GenerationResult.LogProbabilities each = result.logProbabilities().get(i);
        assertEquals(result.ids()[i], each.id());
        assertEquals(3, each.best().size());
        assertEquals(each.id(), each.best().getFirst().id());
        assertEquals(each.logProbability(), each.best().getFirst().logProbability());
        assertTrue(each.logProbability() <= 0);
        assertTrue(each.best().get(1).logProbability() <= each.logProbability());
      }
    }
  }

  @Test
  void guessingAheadGivesTheSameText() {
    try (Session session = model.newSession()) {
      String prompt = "Lily had a red ball. Lily had a red ball. Lily had";
      for (double temperature : new double[] {0, 0.8}) {
        GenerationOptions.Builder options =
            GenerationOptions.builder().temperature(temperature).seed(5).maxTokens(120);
        GenerationResult plain = session.generate(prompt, options.draftTokens(0).build());
        session.truncate(0);
        GenerationResult guessed = session.generate(prompt, options.draftTokens(8).build());
        session.truncate(0);
        assertArrayEquals(plain.ids(), guessed.ids());
        assertTrue(guessed.usage().draftedTokens() > 0);
        assertTrue(guessed.usage().acceptedTokens() > 0, guessed.usage().toString());
        assertTrue(guessed.usage().acceptedTokens() <= guessed.usage().draftedTokens());
      }
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
  void aFullContextIsNeverSilent() {
    SessionOptions small = SessionOptions.defaults().withContextLength(24);
    try (Session session = model.newSession(small)) {
      ContextOverflowException error =
          assertThrows(
              ContextOverflowException.class,
              () -> session.generate(PROMPT, GenerationOptions.greedy(100)));
      assertTrue(error.getMessage().contains("24"), error.getMessage());
      assertThrows(
          ContextOverflowException.class,
          () -> session.generate(new int[25], GenerationOptions.greedy(1), null));
      // The session is usable after that.
      assertEquals(10, session.generate(PROMPT, GenerationOptions.greedy(10)).ids().length);
    }
    try (Session session = model.newSession(small.withOverflow(SessionOptions.Overflow.STOP))) {
      GenerationResult result = session.generate(PROMPT, GenerationOptions.greedy(100));
      assertEquals(FinishReason.CONTEXT, result.finishReason());
      assertEquals(24 - 5 + 1, result.ids().length);
    }
    try (Session session = model.newSession(small.withOverflow(SessionOptions.Overflow.SHIFT))) {
      GenerationResult result = session.generate(PROMPT, GenerationOptions.greedy(100));
      assertEquals(100, result.ids().length);
      assertTrue(session.length() <= 25);
    }
  }

  @Test
  void cancelsAlsoWhileReadingThePrompt() throws Exception {
    int[] prompt = new int[2000];
    Arrays.fill(prompt, 300);
    try (Session session = model.newSession(SessionOptions.defaults().withContextLength(2048));
        ExecutorService pool = Executors.newSingleThreadExecutor()) {
      CountDownLatch started = new CountDownLatch(1);
      Future<GenerationResult> result =
          pool.submit(
              () -> {
                Thread.currentThread().interrupt();
                started.countDown();
                return session.generate(prompt, GenerationOptions.greedy(40), null);
              });
      started.await();
      GenerationResult interrupted = result.get();
      assertEquals(FinishReason.CANCELLED, interrupted.finishReason());
      assertEquals(0, interrupted.ids().length);
      // From another thread, when some of the prompt was read; unless that comes too late.
      int[] longer = new int[7000];
      Arrays.fill(longer, 300);
      SessionOptions large = SessionOptions.defaults().withContextLength(longer.length);
      FinishReason reason = FinishReason.LENGTH;
      for (int attempt = 0; attempt < 20 && reason != FinishReason.CANCELLED; attempt++) {
        try (Session reading = model.newSession(large)) {
          Future<GenerationResult> read =
              pool.submit(() -> reading.generate(longer, GenerationOptions.greedy(1), null));
          while (reading.promptProgress() < 0.01 && !read.isDone()) {
            Thread.onSpinWait();
          }
          reading.cancel();
          reason = read.get().finishReason();
          if (reason == FinishReason.CANCELLED) {
            assertEquals(0, read.get().ids().length);
            // What was read is remembered.
            GenerationResult again =
                reading.generate(Arrays.copyOf(longer, 600), GenerationOptions.greedy(1), null);
            assertTrue(again.usage().reusedTokens() >= 500, again.usage().toString());
          }
        }
      }
      assertEquals(FinishReason.CANCELLED, reason);
      int[] heard = new int[1];
      GenerationResult cancelled =
          session.generate(
              PROMPT,
              GenerationOptions.greedy(50),
              token -> {
                if (++heard[0] == 3) {
                  session.cancel();
                }
              });
      assertEquals(FinishReason.CANCELLED, cancelled.finishReason());
      assertEquals(3, cancelled.ids().length);
    }
  }

  @Test
  void whatAListenerThrowsReachesTheCallerAndFreesTheSession() {
    try (Session session = model.newSession()) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              session.generate(
                  PROMPT,
                  GenerationOptions.greedy(10),
                  token -> {
                    throw new IllegalArgumentException("enough");
                  }));
      assertEquals(10, session.generate(PROMPT, GenerationOptions.greedy(10)).ids().length);
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
