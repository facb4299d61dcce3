package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.TokenListener;
import io.smallmind.tokenizer.ChatMessage;
import java.util.ArrayList;
import java.util.List;

/** Brings a talk into the form that a model reads: its own chat format, or a plain transcript. */
final class Transcript {
  private static final String USER = "\nUser:";

  private final LanguageModel model;

  Transcript(LanguageModel model) {
    this.model = model;
  }

  /** Tells whether the model has no chat format of its own. */
  boolean isPlain() {
    return model.chatTemplate() == null;
  }

  GenerationResult answer(
      Session session,
      List<ChatMessage> messages,
      GenerationOptions options,
      TokenListener listener) {
    if (!isPlain()) {
      return session.chat(messages, options, listener);
    }
    StringBuilder text = new StringBuilder();
    for (ChatMessage message : messages) {
      text.append(
          switch (message.role()) {
            case "user" -> USER + " ";
            case "assistant" -> "\nAssistant: ";
            default -> "";
          });
      text.append(message.content());
    }
    text.append("\nAssistant:");
    List<String> stops = new ArrayList<>(options.stops());
    stops.add(USER);
    GenerationOptions bounded =
        new GenerationOptions(
            options.sampling(),
            options.maxTokens(),
            stops,
            options.parseSpecial(),
            options.ignoreEnd(),
            options.logProbabilities(),
            options.draftTokens(),
            options.constraint());
    return session.generate(text.toString().strip(), bounded, listener);
  }
}
