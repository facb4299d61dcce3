package io.smallmind.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class EmbeddedModelTest {
  private static final long MOST_BYTES = 4_000_000;

  @Test
  void isSmallAndSaysWhatItIs() throws IOException {
    Path file = EmbeddedModel.file();
    assertTrue(Files.size(file) <= MOST_BYTES, "bytes: " + Files.size(file));
    try (LanguageModel model = LanguageModel.load(file)) {
      assertEquals("Apache-2.0", model.file().metadata().string("general.license"));
      assertTrue(model.file().metadata().string("general.description").contains("TinyStories"));
      assertTrue(model.file().metadata().real("smallmind.training.validation_loss") > 0);
      assertEquals(0, model.config().embeddingLength() % 256);
      assertEquals(0, model.config().feedForwardLength() % 256);
    }
  }

  /** A sentence of its language surprises it less than the same words in disorder. */
  @Test
  void knowsItsLanguage() throws IOException {
    try (LanguageModel model = LanguageModel.load(EmbeddedModel.file());
        Session session = model.newSession()) {
      double good = surprise(model, "One day, a little girl named Lily went to the park.");
      double bad = surprise(model, "park the to girl went One named, day a Lily little.");
      assertTrue(good < bad - 10, good + " against " + bad);
      String story = session.generate("Once upon a time", GenerationOptions.greedy(20)).text();
      assertTrue(story.contains("there was a"), story);
    }
  }

  private static double surprise(LanguageModel model, String text) {
    return model.negativeLogLikelihood(model.tokenizer().encode(text, true, false));
  }
}
