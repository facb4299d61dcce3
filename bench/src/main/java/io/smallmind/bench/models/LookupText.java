package io.smallmind.bench.models;

import io.smallmind.gguf.GgufFile;
import io.smallmind.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A prompt and the text that follows it. Tokens are drawn by Zipf's law, so that pairs of them come
 * again by chance, and guesses fail, as in real texts.
 *
 * @param prompt tokens
 * @param script the tokens to generate: none ends a text
 */
record LookupText(int[] prompt, int[] script) {
  private static final long SEED = 20_260_102;
  private static final int SHORTEST_SPAN = 8;
  private static final int LONGEST_SPAN = 32;
  private static final int MOST_CHANGED = 8;

  /** Returns a text that has nothing to do with its prompt. */
  static LookupText unrelated(ModelFile file, int promptLength, int tokens) {
    int[] all = draw(file, promptLength + tokens);
    return new LookupText(
        Arrays.copyOf(all, promptLength),
        Arrays.copyOfRange(all, promptLength, promptLength + tokens));
  }

  /**
   * Returns a text that is its prompt edited: the same tokens in order, over and over if need be,
   * but for 1 to 8 new ones after every 8 to 32.
   */
  static LookupText edited(ModelFile file, int promptLength, int tokens) {
    LookupText text = unrelated(file, promptLength, tokens);
    SplittableRandom random = new SplittableRandom(SEED);
    int position = 0;
    while (position < tokens) {
      int changed = Math.min(tokens, position + random.nextInt(SHORTEST_SPAN, LONGEST_SPAN + 1));
      for (; position < changed; position++) {
        text.script[position] = text.prompt[position % promptLength];
      }
      position += random.nextInt(1, MOST_CHANGED + 1);
    }
    return text;
  }

  private static int[] draw(ModelFile file, int count) {
    SplittableRandom random = new SplittableRandom(SEED);
    double vocabulary = Math.log(file.config().vocabularySize());
    int[] tokens = new int[count];
    try (GgufFile gguf = GgufFile.open(file.path())) {
      Tokenizer tokenizer = Tokenizer.of(gguf.metadata());
      for (int i = 0; i < count; i++) {
        do {
          tokens[i] = (int) Math.exp(random.nextDouble() * vocabulary) - 1;
        } while (tokenizer.isEndOfGeneration(tokens[i]));
      }
    }
    return tokens;
  }
}
