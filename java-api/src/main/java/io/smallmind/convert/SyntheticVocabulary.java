package io.smallmind.convert;

import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A SentencePiece vocabulary of any size that tokenizes every text. */
final class SyntheticVocabulary {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;
  private static final int LETTERS = 26;

  /** Smaller vocabularies have no room for a token per byte. */
  private static final int SMALLEST_WITH_BYTES = 400;

  private SyntheticVocabulary() {}

  static void put(GgufWriter writer, int size) {
    Set<String> tokens = new LinkedHashSet<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(UNKNOWN, CONTROL, CONTROL));
    if (size >= SMALLEST_WITH_BYTES) {
      for (int value = 0; value < 256; value++) {
        tokens.add(String.format("<0x%02X>", value));
        types.add(BYTE);
      }
    }
    tokens.add("\u2581");
    for (char letter = '!'; letter <= '~'; letter++) {
      tokens.add(String.valueOf(letter));
    }
    for (int number = 0; tokens.size() < size; number++) {
      String word = word(number);
      tokens.add(word);
      if (tokens.size() < size) {
        tokens.add("\u2581" + word);
      }
    }
    while (types.size() < size) {
      types.add(NORMAL);
    }
    float[] scores = new float[size];
    for (int i = 0; i < size; i++) {
      scores[i] = types.get(i) == NORMAL ? -i : 0;
    }
    writer
        .put("tokenizer.ggml.model", "llama")
        .put("tokenizer.ggml.tokens", GgufValue.strings(List.copyOf(tokens)))
        .put("tokenizer.ggml.scores", GgufValue.float32s(scores))
        .put(
            "tokenizer.ggml.token_type",
            GgufValue.int32s(types.stream().mapToInt(Integer::intValue).toArray()))
        .put("tokenizer.ggml.unknown_token_id", 0)
        .put("tokenizer.ggml.bos_token_id", 1)
        .put("tokenizer.ggml.eos_token_id", 2)
        .put("tokenizer.ggml.add_bos_token", true);
  }

  /** Returns the n-th word of two letters or more. */
  private static String word(int number) {
    StringBuilder word = new StringBuilder();
    int rest = number + LETTERS;
    while (rest >= 0) {
      word.append((char) ('a' + rest % LETTERS));
      rest = rest / LETTERS - 1;
    }
    return word.reverse().toString();
  }
}
