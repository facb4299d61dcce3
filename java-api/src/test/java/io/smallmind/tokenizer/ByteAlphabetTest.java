package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The alphabet, and what is written in others. */
class ByteAlphabetTest {
  private static boolean decode(byte[] utf8, ByteStrings into) {
    boolean decoded = ByteAlphabet.decode(ByteBuffer.wrap(utf8), 0, utf8.length, into);
    into.endHidden();
    return decoded;
  }

  private static String allBytes() {
    byte[] bytes = new byte[256];
    for (int value = 0; value < 256; value++) {
      bytes[value] = (byte) value;
    }
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void everyByteComesBack() {
    String text = ByteAlphabet.text(allBytes());
    ByteStrings decoded = new ByteStrings(1);
    assertTrue(decode(text.getBytes(StandardCharsets.UTF_8), decoded));
    assertEquals(allBytes(), decoded.text(0));
    assertEquals(256, text.chars().distinct().count());
    assertEquals("\u0120a\u010a", ByteAlphabet.text(" a\n"));
  }

  /** Whatever the bytes: those of UTF-8 whose characters all are in the alphabet, and no others. */
  @Test
  void onlyTheAlphabetIsDecoded() {
    String alphabet = ByteAlphabet.text(allBytes());
    int[] often = {
      ' ', 'a', 0x7F, 0x80, 0xA0, 0xAD, 0xC1, 0xC2, 0xC4, 0xC5, 0xC7, 0xC8, 0xE2, 0xF0
    };
    Random random = new Random(3);
    int found = 0;
    for (int trial = 0; trial < 20_000; trial++) {
      byte[] utf8 = new byte[random.nextInt(4)];
      for (int i = 0; i < utf8.length; i++) {
        utf8[i] = (byte) (random.nextBoolean() ? often[random.nextInt(14)] : random.nextInt(256));
      }
      String text = new String(utf8, StandardCharsets.UTF_8);
      boolean expected = text.chars().allMatch(character -> alphabet.indexOf(character) >= 0);
      ByteStrings decoded = new ByteStrings(1);
      assertEquals(expected, decode(utf8, decoded), () -> Arrays.toString(utf8));
      if (expected) {
        assertEquals(text, ByteAlphabet.text(decoded.text(0)));
        found++;
      }
    }
    assertTrue(found > 5000 && found < 15_000, "both happen: " + found);
  }
}
