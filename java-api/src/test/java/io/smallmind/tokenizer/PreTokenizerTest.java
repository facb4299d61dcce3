package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.UnsupportedFormatException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Splits that follow by hand from each family's published expressions. */
class PreTokenizerTest {
  private static final String TEXT = "I've 1234 cats' x=y\n\n  done";

  private static final String GPT2 = "I|'ve| 1234| cats|'| x|=|y|\n\n | done";
  private static final String DIGITS = "I|'ve| |1|2|3|4| cats|'| x|=|y|\n\n | done";

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("gpt-2", TEXT, GPT2),
        Arguments.of("mpt", TEXT, GPT2),
        Arguments.of("starcoder", TEXT, DIGITS),
        Arguments.of("refact", TEXT, DIGITS),
        Arguments.of("command-r", TEXT, DIGITS),
        Arguments.of("smollm", TEXT, DIGITS),
        Arguments.of("falcon", TEXT, "I|'|ve| |123|4| cats|'| x|=|y|\n\n | done"),
        Arguments.of("llama-bpe", TEXT, "I|'ve| |123|4| cats|'| x|=y|\n\n| | done"),
        Arguments.of("qwen2", TEXT, "I|'ve| |1|2|3|4| cats|'| x|=y|\n\n| | done"),
        Arguments.of("deepseek-llm", TEXT, "I|'|ve| |1234| cats|'| x|=|y|\n|\n| | done"),
        Arguments.of("deepseek-coder", TEXT, "I|'|ve| |1|2|3|4| cats|'| x|=|y|\n|\n| | done"),
        // Upper case: a contraction for some only.
        Arguments.of("gpt-2", "I'VE", "I|'|VE"),
        Arguments.of("llama-bpe", "I'VE", "I|'VE"),
        Arguments.of("qwen2", "I'VE", "I|'VE"),
        // Punctuation with line ends, and operators.
        Arguments.of("llama-bpe", "f();\n\nx", "f|();\n\n|x"),
        Arguments.of("gpt-2", "f();\n\nx", "f|();|\n|\n|x"),
        Arguments.of("falcon", "a<=b`c`", "a|<=|b|`|c|`"),
        Arguments.of("falcon", "12345678", "123|456|78"),
        Arguments.of("starcoder", "v12", "v|1|2"),
        Arguments.of("deepseek-coder", "a+b", "a|+|b"),
        Arguments.of("deepseek-coder", " (x)", " (|x|)"),
        // Spaces: the last one belongs to the word, unless it is a digit's or the end's.
        Arguments.of("gpt-2", "a   b", "a|  | b"),
        Arguments.of("gpt-2", "a   ", "a|   "),
        Arguments.of("llama-bpe", "a   1", "a|  | |1"),
        Arguments.of("llama-bpe", " \t\r\n x", " \t\r\n| x"),
        Arguments.of("deepseek-llm", "a  \n", "a|  |\n"),
        // Other scripts.
        Arguments.of("deepseek-llm", "a你好b", "a|你好|b"),
        Arguments.of("deepseek-coder", "a你好b", "a|你好|b"),
        // Its punctuation counts the letters of ASCII in.
        Arguments.of("deepseek-llm", "naïve", "na|ï|ve"),
        Arguments.of("deepseek-llm", "！好", "！|好"),
        Arguments.of("gpt-2", "naïve你好 ½", "naïve你好| ½"),
        Arguments.of("llama-bpe", "मन्", "मन|्"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void splits(String name, String text, String expected) {
    List<String> words = PreTokenizer.byName(name).split(Vocabulary.bytes(text));
    assertEquals(
        expected, words.stream().map(Vocabulary::text).collect(Collectors.joining("|")), name);
  }

  /** DeepSeek's letters are some cased scripts as Unicode 12 had them, not all of a category. */
  @Test
  void deepSeeksLettersAreItsOwn() {
    PreTokenizer rules = PreTokenizer.byName("deepseek-llm");
    for (String letter : List.of("ƺ", "ʓ", "ʕ", "Ω", "Ж", "Ա", "ß", "ﬁ", "𐐀", "𞥃")) {
      assertEquals(1, rules.split(Vocabulary.bytes("ж" + letter)).size(), letter);
    }
    // The click ƻ, Georgian small letters, the modifier ʰ, Hebrew.
    for (String other : List.of("ƻ", "ʔ", "ა", "ʰ", "א", "ª")) {
      assertEquals(2, rules.split(Vocabulary.bytes("ж" + other)).size(), other);
    }
  }

  @Test
  void keepsBytesThatAreNoText() {
    String bytes = "a\u00ff\u00c3 \u00e4\u00bd b\u0080";
    for (String name :
        List.of("gpt-2", "llama-bpe", "deepseek-llm", "falcon", "gpt-4o", "tekken")) {
      assertEquals(bytes, String.join("", PreTokenizer.byName(name).split(bytes)), name);
    }
  }

  @Test
  void namesWhatItKnows() {
    UnsupportedFormatException error =
        assertThrows(UnsupportedFormatException.class, () -> PreTokenizer.byName("abacus"));
    assertTrue(error.getMessage().contains("abacus"));
    assertTrue(error.getMessage().contains("deepseek-coder"));
  }
}
