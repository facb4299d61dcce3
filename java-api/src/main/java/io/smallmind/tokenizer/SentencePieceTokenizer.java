package io.smallmind.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * Merges characters into the tokens with the best scores, as SentencePiece's BPE does (Kudo and
 * Richardson 2018); spaces are written as U+2581, and what no token covers becomes byte tokens.
 */
final class SentencePieceTokenizer extends AbstractTokenizer {
  /** U+2581 in UTF-8. */
  private static final String SPACE = "\u00e2\u0096\u0081";

  private final int[] byteTokens = new int[256]; // or −1
  private final boolean addSpacePrefix;
  private final boolean addBos;
  private final boolean addEos;

  SentencePieceTokenizer(Vocabulary vocabulary) {
    super(vocabulary);
    addSpacePrefix = vocabulary.flag("add_space_prefix", true);
    addBos = vocabulary.flag("add_bos_token", true);
    addEos = vocabulary.flag("add_eos_token", false);
    for (int value = 0; value < 256; value++) {
      int id = vocabulary.id("<0x%02X>".formatted(value));
      byteTokens[value] = id >= 0 ? id : vocabulary.id(String.valueOf((char) value));
    }
    spell();
  }

  @Override
  byte[] spelling(int id) {
    String entry = vocabulary.entries[id];
    if (vocabulary.types[id] == Vocabulary.BYTE && entry.matches("<0x[0-9A-Fa-f]{2}>")) {
      return new byte[] {(byte) Integer.parseInt(entry.substring(3, 5), 16)};
    }
    return entry.replace(SPACE, " ").getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  void encodePlain(String text, boolean first, IdList ids) {
    String spaced = (addSpacePrefix && first ? " " + text : text).replace(" ", SPACE);
    Symbols symbols =
        new Symbols(spaced) {
          @Override
          long priority(int begin, int middle, int end) {
            int id = textToken(spaced.substring(begin, end));
            return id < 0 ? -1 : urgency(vocabulary.scores[id]);
          }
        };
    for (int at = 0; at < spaced.length(); ) {
      int end = characterEnd(spaced, at);
      symbols.add(at, end);
      at = end;
    }
    symbols.merge();
    for (int at = 0; at < spaced.length(); at = symbols.end(at)) {
      int id = textToken(spaced.substring(at, symbols.end(at)));
      if (id >= 0) {
        ids.add(id);
      } else {
        addBytes(spaced, at, symbols.end(at), ids);
      }
    }
  }

  /** Returns the token for a piece of text, or −1; text never becomes a control token. */
  private int textToken(String piece) {
    int id = vocabulary.id(piece);
    return id >= 0 && (vocabulary.isControl(id) || id == vocabulary.unknown) ? -1 : id;
  }

  private void addBytes(String text, int begin, int end, IdList ids) {
    for (int at = begin; at < end; at++) {
      int id = byteTokens[text.charAt(at)];
      if (id < 0) {
        id = vocabulary.unknown;
      }
      if (id >= 0) {
        ids.add(id);
      }
    }
  }

  /** Turns a score into a number of 31 bits that falls as the score rises. */
  private static long urgency(float score) {
    int bits = Float.floatToIntBits(score);
    int rising = bits >= 0 ? bits ^ Integer.MIN_VALUE : ~bits; // rises with the score, unsigned
    return (~rising & 0xFFFF_FFFFL) >>> 1;
  }

  /** Returns where a UTF-8 character ends; a broken one, before what can't belong to it. */
  private static int characterEnd(String bytes, int begin) {
    int longest = Math.min(bytes.length(), begin + characterLength(bytes.charAt(begin)));
    int end = begin + 1;
    while (end < longest && (bytes.charAt(end) & 0xC0) == 0x80) {
      end++;
    }
    return end;
  }

  /** Returns the length of a UTF-8 character by its first byte; 1 for a byte that can't be one. */
  static int characterLength(char first) {
    return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 1;
  }

  @Override
  int leadingSpace(byte[] piece) {
    return addSpacePrefix && piece[0] == ' ' ? 1 : 0;
  }

  @Override
  boolean addsBos() {
    return addBos;
  }

  @Override
  boolean addsEos() {
    return addEos;
  }
}
