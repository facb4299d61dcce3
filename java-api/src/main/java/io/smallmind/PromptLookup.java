package io.smallmind;

/**
 * Guesses what comes next in a text: what came the last time behind the words that came just now.
 * Costs little where guesses are wrong: the fewer were right, the fewer and rarer come next.
 *
 * <p>Source: Saxena, Prompt Lookup Decoding, 2023. Not thread-safe.
 */
final class PromptLookup {
  private static final int SHORTEST_MATCH = 2;
  private static final int LONGEST_MATCH = 8;
  private static final int FIRST_GUESSES = 2;
  private static final int LONGEST_PAUSE = 64;

  /** Most guesses at once. */
  private int limit;

  /** Tokens to let pass before the next guess. */
  private int wait;

  /** What to wait after the next failure. */
  private int pause;

  private int guessed;
  private int confirmed;

  PromptLookup() {
    begin();
  }

  /** Forgets how good the guesses were, for another text. */
  void begin() {
    limit = FIRST_GUESSES;
    wait = 0;
    pause = 1;
    guessed = 0;
    confirmed = 0;
  }

  /** Hears that the next guess was right. */
  void confirm() {
    confirmed++;
  }

  /**
   * Writes guesses behind a text.
   *
   * @param text with room for the guesses
   * @param length of the text
   * @param most guesses
   * @return how many
   */
  int guess(int[] text, int length, int most) {
    learn();
    int end = wait > 0 ? 0 : find(text, length);
    wait = Math.max(0, wait - 1);
    guessed = end == 0 ? 0 : Math.min(most, limit);
    // Not a bulk copy: where the text repeats itself, guesses go on from guesses.
    for (int i = 0; i < guessed; i++) {
      text[length + i] = text[end + i];
    }
    return guessed;
  }

  private void learn() {
    if (guessed > 0) {
      if (confirmed == guessed) {
        limit *= 2;
      } else {
        limit = Math.max(1, confirmed);
      }
      limit = Math.min(limit, Session.MAX_DRAFT);
      if (confirmed == 0) {
        wait = pause;
        pause = Math.min(LONGEST_PAUSE, 2 * pause);
      } else {
        pause = 1;
      }
    }
    guessed = 0;
    confirmed = 0;
  }

  /** Returns where the longest and latest match of the text's end ends, or 0 for none. */
  private static int find(int[] text, int length) {
    int found = 0;
    int longest = SHORTEST_MATCH - 1;
    for (int end = length - 1; end > longest && longest < LONGEST_MATCH; end--) {
      int match = 0;
      while (match < LONGEST_MATCH
          && match < end
          && text[end - 1 - match] == text[length - 1 - match]) {
        match++;
      }
      if (match > longest) {
        longest = match;
        found = end;
      }
    }
    return found;
  }
}
