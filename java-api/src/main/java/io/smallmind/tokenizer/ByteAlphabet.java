package io.smallmind.tokenizer;

import java.nio.ByteBuffer;
import java.util.Arrays;

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
   * Appends the bytes that a vocabulary's text stands for, and tells whether it is in the alphabet;
   * if not, some bytes may have been appended.
   *
   * @param text UTF-8
   * @param begin the index of its first byte
   * @param end behind its last byte
   */
  static boolean decode(ByteBuffer text, int begin, int end, ByteStrings bytes) {
    for (int at = begin; at < end; at++) {
      int character = text.get(at) & 0xFF;
      if (character >= 0x80) { // All of the alphabet have one byte or two.
        int next = ++at < end ? text.get(at) & 0xFF : 0;
        if (character < 0xC2 || character >= 0xC8 || (next & 0xC0) != 0x80) {
          return false;
        }
        character = (character & 0x1F) << 6 | next & 0x3F;
      }
      if (BYTES[character] < 0) {
        return false;
      }
      bytes.append(BYTES[character]);
    }
    return true;
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
