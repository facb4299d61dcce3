package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How the next token is chosen, on every backend. */
class SessionSamplingTest extends OnTrainedModel {
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
}
