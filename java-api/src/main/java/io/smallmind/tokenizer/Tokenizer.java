package io.smallmind.tokenizer;

import io.smallmind.gguf.GgufMetadata;
import java.util.List;

/**
 * Turns text into the tokens of one vocabulary and back. Immutable and thread-safe.
 *
 * <p>Ids run from 0 to {@link #vocabularySize()} − 1; −1 stands for a special token that the
 * vocabulary does not have.
 */
public interface Tokenizer {
  /**
   * Returns the tokenizer of a model file.
   *
   * @throws io.smallmind.error.BadModelFileException if its vocabulary is inconsistent
   * @throws io.smallmind.error.UnsupportedFormatException if its kind is unknown
   */
  static Tokenizer of(GgufMetadata metadata) {
    return TokenizerLoader.load(metadata);
  }

  /** Returns the number of tokens. */
  int vocabularySize();

  /**
   * Turns text into tokens.
   *
   * @param addSpecial put the tokens around it that the model wants at a text's beginning and end
   * @param parseSpecial turn the text of special tokens, such as {@code <|im_end|>}, into these
   *     tokens; without it they are text like any other. Never use it on text that you don't trust
   */
  int[] encode(String text, boolean addSpecial, boolean parseSpecial);

  /**
   * Turns bytes into tokens; for bytes that are no valid UTF-8 too.
   *
   * @param addSpecial as above
   * @param parseSpecial as above
   */
  int[] encode(byte[] utf8, boolean addSpecial, boolean parseSpecial);

  /**
   * Turns a text from several sources into tokens, as if it were one text, except that tokens that
   * steer the model are made of trusted parts only.
   *
   * @param addSpecial as above
   */
  int[] encode(List<TextPart> parts, boolean addSpecial);

  /** Returns the bytes that a token adds to a text; none for control tokens. */
  byte[] bytes(int id);

  /** Returns a token as it stands in the vocabulary. */
  String entry(int id);

  /** Returns the token that stands in the vocabulary like this, or −1. */
  int id(String entry);

  /** Turns tokens into text; bytes that are no valid UTF-8 become U+FFFD. */
  String decode(int[] ids);

  /** Returns a decoder of one stream of tokens. */
  StreamingDecoder newDecoder();

  /** Returns the token at the beginning of a text, or −1. */
  int bosId();

  /** Returns the token at the end of a text, or −1. */
  int eosId();

  /** Returns the token for what the vocabulary lacks, or −1. */
  int unknownId();

  /** Returns the token that fills up batches, or −1. */
  int paddingId();

  /** Tells whether a model ends its turn by this token. */
  boolean isEndOfGeneration(int id);

  /** Tells whether a token controls the model, rather than stand for text. */
  boolean isControl(int id);
}
