package io.smallmind.tokenizer;

import io.smallmind.gguf.GgufMetadata;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The chat formats of the common model families, for files that don't bring their own. */
final class ChatFamilies {
  static final String CHATML =
      """
      {%- for message in messages -%}
        {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
      """;

  static final String LLAMA_3 =
      """
      {{- bos_token -}}
      {%- for message in messages -%}
        {{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
        {{- message.content | trim + '<|eot_id|>' }}
      {%- endfor -%}
      {%- if add_generation_prompt -%}
        {{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
      {%- endif -%}
      """;

  static final String GEMMA =
      """
      {{- bos_token -}}
      {%- set ns = namespace(system='') -%}
      {%- for message in messages -%}
        {%- if message.role == 'system' -%}
          {%- set ns.system = ns.system + message.content | trim + '\\n\\n' -%}
        {%- else -%}
          {{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}
          {{- ns.system + message.content | trim + '<end_of_turn>\\n' }}
          {%- set ns.system = '' -%}
        {%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}
      """;

  static final String PHI_3 =
      """
      {{- bos_token -}}
      {%- for message in messages -%}
        {{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}
      """;

  static final String ZEPHYR =
      """
      {%- for message in messages -%}
        {{ '<|' + message.role + '|>\\n' + message.content + eos_token + '\\n' }}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}
      """;

  static final String LLAMA_2 =
      """
      {%- set ns = namespace(system='') -%}
      {%- for message in messages -%}
        {%- if message.role == 'system' -%}
          {%- set ns.system = '<<SYS>>\\n' + message.content + '\\n<</SYS>>\\n\\n' -%}
        {%- elif message.role == 'user' -%}
          {{ bos_token + '[INST] ' + ns.system + message.content + ' [/INST]' }}
          {%- set ns.system = '' -%}
        {%- else -%}
          {{ ' ' + message.content + ' ' + eos_token }}
        {%- endif -%}
      {%- endfor -%}
      """;

  static final String MISTRAL =
      """
      {{- bos_token -}}
      {%- set ns = namespace(system='') -%}
      {%- for message in messages -%}
        {%- if message.role == 'system' -%}
          {%- set ns.system = message.content + '\\n\\n' -%}
        {%- elif message.role == 'user' -%}
          {{ '[INST] ' + ns.system + message.content + ' [/INST]' }}
          {%- set ns.system = '' -%}
        {%- else -%}
          {{ ' ' + message.content + eos_token }}
        {%- endif -%}
      {%- endfor -%}
      """;

  static final String VICUNA =
      """
      {%- for message in messages -%}
        {%- if message.role == 'system' -%}
          {{ message.content + ' ' }}
        {%- elif message.role == 'user' -%}
          {{ 'USER: ' + message.content + ' ' }}
        {%- else -%}
          {{ 'ASSISTANT: ' + message.content + eos_token }}
        {%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ 'ASSISTANT:' }}{%- endif -%}
      """;

  static final String DEEPSEEK =
      """
      {{- bos_token -}}
      {%- for message in messages -%}
        {%- if message.role == 'user' -%}
          {{ '<\uff5cUser\uff5c>' + message.content }}
        {%- elif message.role == 'assistant' -%}
          {{ '<\uff5cAssistant\uff5c>' + message.content + eos_token }}
        {%- else -%}
          {{ message.content }}
        {%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<\uff5cAssistant\uff5c>' }}{%- endif -%}
      """;

  static final String DEEPSEEK_PLAIN =
      """
      {{- bos_token -}}
      {%- for message in messages -%}
        {%- if message.role == 'user' -%}
          {{ 'User: ' + message.content + '\\n\\n' }}
        {%- elif message.role == 'assistant' -%}
          {{ 'Assistant: ' + message.content + eos_token }}
        {%- else -%}
          {{ message.content + '\\n\\n' }}
        {%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ 'Assistant:' }}{%- endif -%}
      """;

  private ChatFamilies() {}

  /** Returns the template of the family that a file seems to belong to, or null. */
  static @Nullable String find(GgufMetadata metadata, Tokenizer tokenizer) {
    if (has(tokenizer, "<|im_start|>", "<|im_end|>")) {
      return CHATML;
    }
    if (has(tokenizer, "<|start_header_id|>", "<|eot_id|>")) {
      return LLAMA_3;
    }
    if (has(tokenizer, "<start_of_turn>", "<end_of_turn>")) {
      return GEMMA;
    }
    if (has(tokenizer, "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>")) {
      return DEEPSEEK;
    }
    if (has(tokenizer, "<|user|>", "<|assistant|>")) {
      return has(tokenizer, "<|end|>") ? PHI_3 : ZEPHYR;
    }
    if (has(tokenizer, "[INST]", "[/INST]")) {
      return MISTRAL;
    }
    return byName(name(metadata));
  }

  private static boolean has(Tokenizer tokenizer, String... entries) {
    for (String entry : entries) {
      if (tokenizer.id(entry) < 0) {
        return false;
      }
    }
    return true;
  }

  private static String name(GgufMetadata metadata) {
    return (metadata.string("general.name", "") + " " + metadata.string("general.basename", ""))
        .toLowerCase(Locale.ROOT)
        .replaceAll("[-_. ]+", "-");
  }

  /** Recognises chat models whose vocabulary is that of their base model. */
  private static @Nullable String byName(String name) {
    boolean chat = name.contains("chat") || name.contains("instruct");
    if (name.contains("vicuna")) {
      return VICUNA;
    }
    if (name.contains("zephyr") || name.contains("tinyllama") && chat) {
      return ZEPHYR;
    }
    if (name.contains("deepseek") && chat) {
      return DEEPSEEK_PLAIN;
    }
    if ((name.contains("mistral") || name.contains("mixtral")) && chat) {
      return MISTRAL;
    }
    return name.contains("llama-2") && chat ? LLAMA_2 : null;
  }
}
