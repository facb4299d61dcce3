package io.smallmind.tokenizer;

import io.smallmind.error.UnsupportedFormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a model family splits text into words before merging: regular expressions, each of which
 * splits further what the ones before it gave. What an expression matches is a word, and so is what
 * stands between two matches. Immutable and thread-safe.
 *
 * <p>Source: the tokenizers that the families publish (tokenizer.json).
 */
final class PreTokenizer {
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";

  private static final String CONTRACTIONS =
      "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

  private static final String LLAMA3 =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
          + "|\\s+(?!\\S)|\\s+";

  private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

  private static final String CJK = "[一-龥\u0800-一가-\uD7FF]+";

  private static final String UPPER_LOWER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";

  private static final String UPPER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";

  private static final Map<String, PreTokenizer> BY_NAME = new HashMap<>();

  static {
    register(false, false, List.of(GPT2), "gpt-2", "mpt", "olmo", "jais", "phi-2", "trillion");
    register(true, true, List.of(LLAMA3), "llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral");
    register(false, false, List.of(LLAMA3), "dbrx", "smaug-bpe", "chatglm-bpe", "glm4");
    register(
        false, false, List.of(QWEN2), "qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "qwen3");
    register(
        false,
        false,
        List.of("\\p{N}", GPT2),
        "starcoder",
        "refact",
        "command-r",
        "smollm",
        "codeshell",
        "exaone",
        "minerva-7b");
    register(
        false, false, List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"), "falcon");
    register(
        false,
        false,
        List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
        "default");
    register(
        false,
        false,
        List.of(
            "[\\r\\n]",
            "\\s?[\\p{Lu}\\p{Ll}\\p{Lt}]+",
            "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
            "(?<!\\s)\\s++\\z", // from a run's begin only, so that long runs take linear time
            CJK,
            "\\p{N}+"),
        "deepseek-llm");
    register(
        false,
        false,
        List.of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}"),
        "deepseek-coder");
    register(
        false,
        false,
        List.of(
            "\\p{N}{1,3}",
            "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"
                + "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
        "deepseek-v3");
    register(
        false,
        false,
        List.of(
            UPPER_LOWER
                + CONTRACTIONS
                + "?|"
                + UPPER
                + CONTRACTIONS
                + "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
        "gpt-4o",
        "llama4");
    register(
        true,
        false,
        List.of(
            UPPER_LOWER
                + "|"
                + UPPER
                + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
        "tekken");
  }

  private static void register(
      boolean wholeWords, boolean bos, List<String> patterns, String... names) {
    List<Pattern> compiled =
        patterns.stream()
            .map(each -> Pattern.compile(each, Pattern.UNICODE_CHARACTER_CLASS))
            .toList();
    for (String name : names) {
      BY_NAME.put(name, new PreTokenizer(wholeWords, bos, compiled));
    }
  }

  private final boolean wholeWords;
  private final boolean bos;
  private final List<Pattern> patterns;

  private PreTokenizer(boolean wholeWords, boolean bos, List<Pattern> patterns) {
    this.wholeWords = wholeWords;
    this.bos = bos;
    this.patterns = patterns;
  }

  /**
   * Returns the rules of this name.
   *
   * @throws UnsupportedFormatException if they are unknown; the message lists those that are known
   */
  static PreTokenizer byName(String name) {
    PreTokenizer known = BY_NAME.get(name);
    if (known == null) {
      throw new UnsupportedFormatException(
          "tokenizer.ggml.pre = '"
              + name
              + "' is not supported; supported are "
              + String.join(", ", new TreeSet<>(BY_NAME.keySet())));
    }
    return known;
  }

  /** Tells whether a word that is a token is taken as it is, without merging. */
  boolean takesWholeWords() {
    return wholeWords;
  }

  /** Tells whether texts begin with the token for that, where the file does not say. */
  boolean addsBos() {
    return bos;
  }

  /**
   * Splits a text into words.
   *
   * @param bytes of the text; those that are no valid UTF-8 stay as they are
   * @return the bytes of each word; together they are the text
   */
  List<String> split(String bytes) {
    Utf16Text text = new Utf16Text(bytes);
    List<int[]> words = List.of(new int[] {0, text.characters().length()});
    for (Pattern pattern : patterns) {
      words = split(text.characters(), words, pattern);
    }
    List<String> split = new ArrayList<>(words.size());
    for (int[] word : words) {
      split.add(text.bytes(word[0], word[1]));
    }
    return split;
  }

  private static List<int[]> split(String text, List<int[]> words, Pattern pattern) {
    List<int[]> split = new ArrayList<>();
    Matcher matcher = pattern.matcher(text);
    for (int[] word : words) {
      int begin = word[0];
      matcher.region(begin, word[1]);
      while (matcher.find()) {
        if (matcher.start() > begin) {
          split.add(new int[] {begin, matcher.start()});
        }
        if (matcher.end() > matcher.start()) {
          split.add(new int[] {matcher.start(), matcher.end()});
        }
        begin = matcher.end();
      }
      if (begin < word[1]) {
        split.add(new int[] {begin, word[1]});
      }
    }
    return split;
  }

  /** Bytes as characters that expressions can match, and back. */
  private static final class Utf16Text {
    private final String characters;

    Utf16Text(String bytes) {
      StringBuilder text = new StringBuilder(bytes.length());
      for (int at = 0; at < bytes.length(); ) {
        int length = SentencePieceTokenizer.characterLength(bytes.charAt(at));
        String character =
            at + length > bytes.length() ? "" : Vocabulary.text(bytes.substring(at, at + length));
        if (bytes.charAt(at) < 0x80) {
          text.append(bytes.charAt(at++));
        } else if (length > 1
            && character.codePointCount(0, character.length()) == 1
            && Vocabulary.bytes(character).equals(bytes.substring(at, at + length))) {
          text.append(character);
          at += length;
        } else {
          // A lone surrogate stands for a byte that is no UTF-8: no character, and unique.
          text.append((char) (0xDC00 + bytes.charAt(at++)));
        }
      }
      characters = text.toString();
    }

    String characters() {
      return characters;
    }

    String bytes(int begin, int end) {
      StringBuilder bytes = new StringBuilder();
      int from = begin;
      for (int at = begin; at < end; at++) {
        char character = characters.charAt(at);
        if (Character.isHighSurrogate(character)) {
          at++;
        } else if (Character.isLowSurrogate(character)) {
          bytes.append(utf8(from, at)).append((char) (character - 0xDC00));
          from = at + 1;
        }
      }
      return bytes.append(utf8(from, end)).toString();
    }

    private String utf8(int begin, int end) {
      byte[] utf8 = characters.substring(begin, end).getBytes(StandardCharsets.UTF_8);
      return new String(utf8, StandardCharsets.ISO_8859_1);
    }
  }
}
