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
  /** Spaces, but not the last one before a word, which belongs to that. */
  private static final String SPACES = "\\s+(?!\\S)";

  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" + SPACES;

  private static final String CONTRACTIONS =
      "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

  private static final String LINE_END = "[\\r\\n]";

  /** A word, and one character before it that is no letter, number or end of line. */
  private static final String WORD = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";

  private static final String SYMBOLS = " ?[^\\s\\p{L}\\p{N}]+" + LINE_END + "*";
  private static final String LINE_ENDS = "\\s*" + LINE_END + "+";

  private static final String LLAMA3 =
      String.join("|", CONTRACTIONS, WORD, "\\p{N}{1,3}", SYMBOLS, LINE_ENDS, SPACES, "\\s+");

  private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

  private static final String CJK = "[一-龥\u0800-一가-\uD7FF]+";

  private static final String UPPER_LOWER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";

  private static final String UPPER =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";

  /** The letters of DeepSeek's first models, as code points: cased scripts, but not all of them. */
  private static final String DEEPSEEK_LETTERS =
      "41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386"
          + " 388-38A 38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD"
          + " 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45"
          + " 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4"
          + " 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115"
          + " 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183 2184"
          + " 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F A771-A787"
          + " A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3"
          + " 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943";

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
            "\\s?" + characters(DEEPSEEK_LETTERS) + "+",
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

  /** Makes a character class of code points and their ranges, in hexadecimal. */
  private static String characters(String codePoints) {
    StringBuilder pattern = new StringBuilder("[");
    for (String range : codePoints.split(" ")) {
      pattern.append("\\x{").append(range.replace("-", "}-\\x{")).append('}');
    }
    return pattern.append(']').toString();
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
