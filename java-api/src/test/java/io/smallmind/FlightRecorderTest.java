package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.testing.TestData;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;

/** What Java Flight Recorder sees. */
class FlightRecorderTest {
  private static final String PASS = "io.smallmind.ForwardPass";
  private static final String GENERATION = "io.smallmind.Generation";
  private static final int TOKENS = 7;

  @Test
  void seesPassesAndGenerations() {
    List<RecordedEvent> passes = new CopyOnWriteArrayList<>();
    List<RecordedEvent> generations = new CopyOnWriteArrayList<>();
    ModelOptions options = ModelOptions.defaults().withBackend("scalar");
    try (RecordingStream stream = new RecordingStream();
        LanguageModel model =
            LanguageModel.load(TestData.path("models/stories260K.gguf"), options);
        Session session = model.newSession()) {
      stream.setReuse(false);
      stream.enable(PASS);
      stream.enable(GENERATION);
      stream.onEvent(PASS, passes::add);
      stream.onEvent(GENERATION, generations::add);
      stream.startAsync();
      session.generate("Once upon a time", GenerationOptions.greedy(TOKENS));
      stream.stop();
    }
    assertEquals(1, generations.size());
    RecordedEvent generation = generations.getFirst();
    assertEquals(5, generation.getInt("promptTokens"));
    assertEquals(TOKENS, generation.getInt("generatedTokens"));
    assertEquals("LENGTH", generation.getString("finishReason"));
    assertTrue(generation.getDuration().compareTo(generation.getDuration("prefill")) > 0);
    assertEquals(TOKENS, passes.size(), passes.toString());
    RecordedEvent prefill = passes.getFirst();
    assertEquals(5, prefill.getInt("rows"));
    assertEquals(1, prefill.getInt("outputs"));
    assertEquals("scalar", prefill.getString("backend"));
    RecordedEvent last = passes.getLast();
    assertEquals(1, last.getInt("rows"));
    assertEquals(5 + TOKENS - 1, last.getInt("context"));
    assertTrue(last.getDuration().isPositive());
    assertTrue(!last.getStartTime().isBefore(prefill.getEndTime()), "passes overlap");
  }
}
