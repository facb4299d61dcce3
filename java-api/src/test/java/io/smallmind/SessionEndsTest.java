package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.ContextOverflowException;
import io.smallmind.sampling.Grammar;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** All the ways in which a generation ends, on every backend. */
class SessionEndsTest extends OnTrainedModel {
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
}
