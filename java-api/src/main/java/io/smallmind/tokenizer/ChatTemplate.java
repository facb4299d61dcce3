package io.smallmind.tokenizer;

import io.smallmind.gguf.GgufMetadata;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** In work. */
public final class ChatTemplate {
  private ChatTemplate() {}

  /** Returns the chat format of a model file, or null if it has none. */
  public static @Nullable ChatTemplate of(GgufMetadata metadata, Tokenizer tokenizer) {
    return null;
  }

  /** Returns a conversation as one text. */
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    return messages.toString();
  }
}
