package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptLookupTest {
  private final PromptLookup lookup = new PromptLookup();

  @Test
  void guessesWhatFollowedTheLongestMatch() {
    // "4 5" came twice: behind "3" and behind "9"; the text ends in "3 4 5".
    int[] text = {3, 4, 5, 6, 7, 9, 4, 5, 8, 3, 4, 5, 0, 0};
    assertEquals(2, lookup.guess(text, 12, 10));
    assertArrayEquals(new int[] {6, 7}, Arrays.copyOfRange(text, 12, 14));
  }

  @Test
  void guessesNothingInTextThatDoesNotRepeat() {
    int[] text = {1, 2, 3, 4, 5, 0};
    assertEquals(0, lookup.guess(text, 5, 1));
    assertEquals(0, lookup.guess(text, 0, 1));
    assertEquals(0, lookup.guess(new int[] {7, 7}, 1, 1));
  }

  @Test
  void goesOnFromItsOwnGuessesAndGuessesMoreWhenRight() {
    int[] text = new int[200];
    int length = 6;
    for (int i = 0; i < length; i++) {
      text[i] = i % 2;
    }
    int passes = 0;
    for (; length < 150; passes++) {
      int guessed = lookup.guess(text, length, Session.MAX_DRAFT);
      for (int i = 0; i < guessed; i++) {
        assertEquals(length % 2, text[length]);
        lookup.confirm();
        length++;
      }
      text[length] = length % 2;
      length++;
    }
    assertTrue(passes <= 2 + 150 / Session.MAX_DRAFT, passes + " passes");
  }

  @Test
  void guessesSeldomWhereItIsWrong() {
    // Words repeat, but what follows them never does.
    Random random = new Random(1);
    int[] text = new int[4000];
    int guessed = 0;
    for (int length = 0; length < 3000; length++) {
      guessed += lookup.guess(text, length, Session.MAX_DRAFT);
      text[length] = length % 3 < 2 ? length % 3 : 2 + random.nextInt(1 << 30);
    }
    assertTrue(guessed > 0);
    assertTrue(guessed < 100, guessed + " guesses");
    lookup.begin();
    assertTrue(lookup.guess(new int[] {1, 2, 1, 2, 1, 2, 0, 0}, 6, 2) > 0);
  }
}
