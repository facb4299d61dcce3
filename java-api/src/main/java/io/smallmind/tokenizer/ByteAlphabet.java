package io.smallmind.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The printable characters by which GPT-2 writes bytes in its vocabulary (Radford et al. 2019):
 * printable Latin-1 characters stand for themselves, the other bytes for characters from U+0100 on.
 */
final class ByteAlphabet {
  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[512];

  static {
    Arrays.fill(BYTES, (short) -1);
    int next = 256;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
      CHARACTERS[value] = (char) (printable ? value : next++);
      BYTES[CHARACTERS[value]] = (short) value;
    }
  }

  private ByteAlphabet() {}

  /**
   * Returns the bytes that a vocabulary's text stands for, or null if it is not in the alphabet.
   */
  static @Nullable String bytes(String text) {
    StringBuilder bytes = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (character >= BYTES.length || BYTES[character] < 0) {
        return null;
      }
      bytes.append((char) BYTES[character]);
    }
    return bytes.toString();
  }

  /** Returns the text by which a vocabulary writes bytes, given as one character each. */
  static String text(String bytes) {
    StringBuilder text = new StringBuilder(bytes.length());
    for (int i = 0; i < bytes.length(); i++) {
      text.append(CHARACTERS[bytes.charAt(i)]);
    }
    return text.toString();
  }
}
