package io.smallmind.tokenizer;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Merges characters into the tokens with the best scores, as SentencePiece's BPE does (Kudo and
 * Richardson 2018); spaces are written as U+2581, and what no token covers becomes byte tokens.
 */
final class SentencePieceTokenizer extends AbstractTokenizer {
  /** U+2581 in UTF-8. */
  private static final String SPACE = "\u00e2\u0096\u0081";

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

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
      int id = vocabulary.id("<0x" + HEX.toHexDigits((byte) value) + ">");
      byteTokens[value] = id >= 0 ? id : vocabulary.id(String.valueOf((char) value));
    }
    spell();
  }

  @Override
  void spell(int id, ByteBuffer entry, ByteStrings spellings) {
    if (vocabulary.types[id] == Vocabulary.BYTE) {
      String text = vocabulary.entry(id);
      if (text.matches("<0x[0-9A-Fa-f]{2}>")) {
        spellings.append(HexFormat.fromHexDigits(text, 3, 5));
        return;
      }
    }
    for (int at = entry.position(); at < entry.limit(); at++) {
      boolean space = isSpace(entry, at);
      spellings.append(space ? ' ' : entry.get(at));
      at += space ? SPACE.length() - 1 : 0;
    }
  }

  private static boolean isSpace(ByteBuffer entry, int at) {
    return at + SPACE.length() <= entry.limit()
        && entry.get(at) == (byte) SPACE.charAt(0)
        && entry.get(at + 1) == (byte) SPACE.charAt(1)
        && entry.get(at + 2) == (byte) SPACE.charAt(2);
  }

  @Override
  void encodePlain(String text, boolean first, IdList ids) {
    String spaced = (addSpacePrefix && first ? " " + text : text).replace(" ", SPACE);
    Symbols symbols =
        new Symbols(spaced) {
          @Override
          long priority(int begin, int middle, int end) {
            int id = textToken(spaced, begin, end);
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
      int id = textToken(spaced, at, symbols.end(at));
      if (id >= 0) {
        ids.add(id);
      } else {
        addBytes(spaced, at, symbols.end(at), ids);
      }
    }
  }

  /** Returns the token for a piece of text, or −1; text never becomes a control token. */
  private int textToken(String text, int begin, int end) {
    int id = vocabulary.id(text, begin, end);
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
