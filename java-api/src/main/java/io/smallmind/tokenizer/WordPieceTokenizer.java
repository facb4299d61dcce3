package io.smallmind.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Splits lower-cased words into the longest tokens that fit, from the left (Wu et al. 2016; Devlin
 * et al. 2019). In GGUF, tokens that begin a word are written with a leading U+2581.
 */
final class WordPieceTokenizer extends AbstractTokenizer {
  private static final String WORD_BEGIN = "\u2581";

  private final int longest; // in UTF-16 units

  WordPieceTokenizer(Vocabulary vocabulary) {
    super(vocabulary);
    int length = 0;
    for (int id = 0; id < vocabulary.size(); id++) {
      length = Math.max(length, vocabulary.text(id).length());
    }
    longest = length;
    spell();
  }

  @Override
  void spell(int id, ByteBuffer entry, ByteStrings spellings) {
    String text = vocabulary.text(id).replace(WORD_BEGIN, " ");
    spellings.append(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  void encodePlain(String text, boolean first, IdList ids) {
    for (String word : words(Vocabulary.text(text))) {
      encodeWord(WORD_BEGIN + word, ids);
    }
  }

  private void encodeWord(String word, IdList ids) {
    IdList pieces = new IdList();
    for (int at = 0; at < word.length(); ) {
      int end = Math.min(word.length(), at + longest);
      int id = -1;
      while (end > at && (id = idWithin(word, at, end)) < 0) {
        end--;
      }
      if (id < 0) {
        if (vocabulary.unknown >= 0) {
          ids.add(vocabulary.unknown);
        }
        return;
      }
      pieces.add(id);
      at = end;
    }
    for (int id : pieces.toArray()) {
      ids.add(id);
    }
  }

  /** Returns the token for a part of a word, or −1; no token ends within a surrogate pair. */
  private int idWithin(String word, int begin, int end) {
    return Character.isHighSurrogate(word.charAt(end - 1)) ? -1 : id(word.substring(begin, end));
  }

  /** Splits at spaces, and around punctuation and ideographs; drops accents and controls. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    String plain = Normalizer.normalize(text, Normalizer.Form.NFD);
    for (int at = 0; at < plain.length(); ) {
      int point = plain.codePointAt(at);
      at += Character.charCount(point);
      if (Character.isWhitespace(point) || Character.isSpaceChar(point)) {
        flush(word, words);
      } else if (isDropped(point)) {
        continue;
      } else if (standsAlone(point)) {
        flush(word, words);
        words.add(Character.toString(point));
      } else {
        word.append(Character.toString(point).toLowerCase(Locale.ROOT));
      }
    }
    flush(word, words);
    return words;
  }

  private static void flush(StringBuilder word, List<String> words) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  private static boolean isDropped(int point) {
    int type = Character.getType(point);
    return point == 0
        || point == 0xFFFD
        || type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.SURROGATE
        || type == Character.PRIVATE_USE
        || type == Character.NON_SPACING_MARK;
  }

  private static boolean standsAlone(int point) {
    int type = Character.getType(point);
    boolean punctuation =
        type == Character.CONNECTOR_PUNCTUATION
            || type == Character.DASH_PUNCTUATION
            || type == Character.START_PUNCTUATION
            || type == Character.END_PUNCTUATION
            || type == Character.INITIAL_QUOTE_PUNCTUATION
            || type == Character.FINAL_QUOTE_PUNCTUATION
            || type == Character.OTHER_PUNCTUATION;
    boolean asciiSymbol = point < 0x7F && !Character.isLetterOrDigit(point);
    return punctuation || asciiSymbol || isIdeograph(point);
  }

  /** The blocks that BERT names. */
  private static boolean isIdeograph(int point) {
    return point >= 0x4E00 && point <= 0x9FFF
        || point >= 0x3400 && point <= 0x4DBF
        || point >= 0x20000 && point <= 0x2A6DF
        || point >= 0x2A700 && point <= 0x2B73F
        || point >= 0x2B740 && point <= 0x2B81F
        || point >= 0x2B820 && point <= 0x2CEAF
        || point >= 0xF900 && point <= 0xFAFF
        || point >= 0x2F800 && point <= 0x2FA1F;
  }

  @Override
  int leadingSpace(byte[] piece) {
    return piece[0] == ' ' ? 1 : 0;
  }

  @Override
  boolean addsBos() {
    return true;
  }

  @Override
  boolean addsEos() {
    return true;
  }

  @Override
  public int bosId() {
    return vocabulary.classifier;
  }

  @Override
  public int eosId() {
    return vocabulary.separator;
  }
}
