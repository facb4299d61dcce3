package io.smallmind.tokenizer;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.tokenizer.template.Template;
import io.smallmind.tokenizer.template.Text;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a model wants conversations to be written. Immutable and thread-safe. */
public final class ChatTemplate {
  /** Roles that may be part of special tokens, such as {@code <|user|>}. */
  private static final Set<String> KNOWN_ROLES =
      Set.of("system", "user", "assistant", "tool", "developer", "function", "model", "ipython");

  private final String text;
  private final Tokenizer tokenizer;
  private final @Nullable Template template;
  private final @Nullable BadModelFileException failure;
  private final Map<String, Object> constants = new HashMap<>();
  private final Clock clock;

  ChatTemplate(String text, Tokenizer tokenizer, Clock clock) {
    this.text = text;
    this.tokenizer = tokenizer;
    this.clock = clock;
    Template parsed = null;
    BadModelFileException problem = null;
    try {
      parsed = Template.parse(text);
    } catch (BadModelFileException e) {
      problem = e; // The model is of use without it.
    }
    template = parsed;
    failure = problem;
    put("bos_token", tokenizer.bosId());
    put("eos_token", tokenizer.eosId());
    put("unk_token", tokenizer.unknownId());
    put("pad_token", tokenizer.paddingId());
  }

  private void put(String name, int id) {
    constants.put(name, Text.trusted(id < 0 ? "" : tokenizer.entry(id)));
  }

  /**
   * Returns the chat format of a model file: its own template, or that of the family it seems to
   * belong to, or null if it has none. A template that is broken is reported when it is used.
   */
  public static @Nullable ChatTemplate of(GgufMetadata metadata, Tokenizer tokenizer) {
    String own = metadata.string("tokenizer.chat_template", "");
    String text = own.isBlank() ? ChatFamilies.find(metadata, tokenizer) : own;
    return text == null ? null : new ChatTemplate(text, tokenizer, Clock.systemDefaultZone());
  }

  /** Returns the template's text, in Jinja. */
  public String text() {
    return text;
  }

  /**
   * Returns a conversation as one text.
   *
   * @param addGenerationPrompt whether to end with what asks the model to answer
   * @throws BadArgumentException if the template refuses these messages
   * @throws BadModelFileException if the template is broken, or exceeds a bound
   */
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    return fill(messages, addGenerationPrompt).value();
  }

  /**
   * Returns a conversation as tokens, with the token for a text's beginning, once. What messages
   * say never becomes tokens that steer the model.
   *
   * @param addGenerationPrompt whether to end with what asks the model to answer
   * @throws BadArgumentException if the template refuses these messages
   * @throws BadModelFileException if the template is broken, or exceeds a bound
   */
  public int[] encode(List<ChatMessage> messages, boolean addGenerationPrompt) {
    List<TextPart> parts = new ArrayList<>();
    for (Text.Part part : fill(messages, addGenerationPrompt).parts()) {
      parts.add(new TextPart(part.value(), part.trusted()));
    }
    int[] ids = tokenizer.encode(parts, false);
    int[] empty = tokenizer.encode("", true, false);
    int bos = tokenizer.bosId();
    if (bos < 0 || empty.length == 0 || empty[0] != bos || ids.length > 0 && ids[0] == bos) {
      return ids;
    }
    int[] begun = new int[ids.length + 1];
    begun[0] = bos;
    System.arraycopy(ids, 0, begun, 1, ids.length);
    return begun;
  }

  private Text fill(List<ChatMessage> messages, boolean addGenerationPrompt) {
    if (template == null) {
      throw failure != null ? failure : new BadModelFileException("no chat template");
    }
    List<Map<String, Object>> converted = new ArrayList<>();
    for (ChatMessage message : messages) {
      String role = message.role();
      converted.add(
          Map.of(
              "role",
              KNOWN_ROLES.contains(role) ? Text.trusted(role) : Text.foreign(role),
              "content",
              Text.foreign(message.content())));
    }
    Map<String, @Nullable Object> values = new HashMap<>(constants);
    values.put("messages", converted);
    values.put("add_generation_prompt", addGenerationPrompt);
    values.put("tools", null);
    values.put("documents", null);
    return template.render(values, clock);
  }
}
