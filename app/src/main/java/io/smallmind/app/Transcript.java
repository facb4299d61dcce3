package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.error.ContextOverflowException;
import io.smallmind.tokenizer.ChatMessage;
import java.util.ArrayList;
import java.util.List;

/**
 * A talk, and the form in which a model reads it: its own chat format, or a plain transcript. Where
 * a talk grows too long for the context, its oldest messages are forgotten.
 */
final class Transcript {
  private static final String USER = "\nUser:";

  /** The share of the context that is kept free for an answer. */
  private static final int ANSWER_SHARE = 4;

  private final Session session;
  private final LanguageModel model;
  private final List<ChatMessage> messages = new ArrayList<>();

  Transcript(Session session) {
    this.session = session;
    model = session.model();
  }

  /** Tells whether the model has no chat format of its own. */
  boolean isPlain() {
    return model.chatTemplate() == null;
  }

  void add(String role, String content) {
    messages.add(new ChatMessage(role, content));
  }

  void removeLast() {
    messages.removeLast();
  }

  void clear() {
    messages.clear();
    session.truncate(0);
  }

  /** Returns options that also end a plain transcript where it would go on with the user. */
  GenerationOptions bound(GenerationOptions options) {
    if (!isPlain()) {
      return options;
    }
    List<String> stops = new ArrayList<>(options.stops());
    stops.add(USER);
    return new GenerationOptions(
        options.sampling(),
        options.maxTokens(),
        stops,
        options.parseSpecial(),
        options.ignoreEnd(),
        options.logProbabilities(),
        options.draftTokens(),
        options.constraint());
  }

  /**
   * Returns the tokens of the talk, up to where the answer begins, and forgets messages until they
   * leave room for one.
   *
   * @param maxTokens most tokens that the answer may have
   * @throws ContextOverflowException if the last message alone is too long
   */
  int[] encode(int maxTokens) {
    int capacity = session.capacity();
    int most = capacity - Math.min(maxTokens, capacity / ANSWER_SHARE);
    int[] ids = encode();
    while (ids.length > most && forgetOldest()) {
      ids = encode();
    }
    return ids;
  }

  /** Forgets the oldest question and its answers; returns false if only the last one is left. */
  private boolean forgetOldest() {
    int first = messages.getFirst().role().equals("system") ? 1 : 0;
    int next = first + 1;
    while (next < messages.size() && !messages.get(next).role().equals("user")) {
      next++;
    }
    if (next >= messages.size()) {
      return false;
    }
    messages.subList(first, next).clear();
    return true;
  }

  private int[] encode() {
    if (!isPlain()) {
      return session.encode(messages);
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
    return model.tokenizer().encode(text.toString().strip(), true, false);
  }
}
