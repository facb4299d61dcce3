package io.smallmind.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;

/** What all kinds of tokenizers share: special tokens, decoding, and the vocabulary's facts. */
abstract class AbstractTokenizer implements Tokenizer {
  final Vocabulary vocabulary;
  private final SpecialTokens specialTokens;
  private final ByteStrings bytes; // (vocabulary): what each token adds to a text

  AbstractTokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    specialTokens = new SpecialTokens(vocabulary);
    bytes = new ByteStrings(vocabulary.size());
  }

  /** Computes what every token adds to a text; called at the end of each constructor. */
  final void spell() {
    vocabulary.forEach(
        entry -> {
          int id = bytes.size();
          switch (vocabulary.types[id]) {
            case Vocabulary.CONTROL, Vocabulary.UNUSED -> {}
            case Vocabulary.USER_DEFINED -> bytes.append(entry);
            default -> spell(id, entry, bytes);
          }
          bytes.endHidden();
        });
  }

  /**
   * Appends the bytes that an ordinary token stands for.
   *
   * @param entry its stored bytes
   */
  abstract void spell(int id, ByteBuffer entry, ByteStrings spellings);

  /**
   * Turns plain text into tokens.
   *
   * @param text bytes
   * @param first whether nothing but control tokens stands before it
   */
  abstract void encodePlain(String text, boolean first, IdList ids);

  abstract boolean addsBos();

  abstract boolean addsEos();

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    return encode(text.getBytes(StandardCharsets.UTF_8), addSpecial, parseSpecial);
  }

  @Override
  public int[] encode(byte[] utf8, boolean addSpecial, boolean parseSpecial) {
    String text = new String(utf8, StandardCharsets.ISO_8859_1);
    return encode(text, specialTokens.split(text, parseSpecial, new BitSet()), addSpecial);
  }

  @Override
  public int[] encode(List<TextPart> parts, boolean addSpecial) {
    StringBuilder text = new StringBuilder();
    BitSet foreign = new BitSet();
    for (TextPart part : parts) {
      int begin = text.length();
      text.append(Vocabulary.bytes(part.text()));
      foreign.set(begin, text.length(), !part.trusted());
    }
    String bytes = text.toString();
    return encode(bytes, specialTokens.split(bytes, true, foreign), addSpecial);
  }

  private int[] encode(String text, List<SpecialTokens.Part> parts, boolean addSpecial) {
    IdList ids = new IdList();
    if (addSpecial && addsBos() && bosId() >= 0) {
      ids.add(bosId());
    }
    boolean first = true;
    for (SpecialTokens.Part part : parts) {
      if (part.token() >= 0) {
        ids.add(part.token());
        first = true;
      } else {
        encodePlain(text.substring(part.begin(), part.end()), first, ids);
        first = false;
      }
    }
    if (addSpecial && addsEos() && eosId() >= 0) {
      ids.add(eosId());
    }
    return ids.toArray();
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public byte[] bytes(int id) {
    return bytes.get(id);
  }

  @Override
  public String entry(int id) {
    return vocabulary.text(id);
  }

  @Override
  public int id(String entry) {
    return vocabulary.id(Vocabulary.bytes(entry));
  }

  @Override
  public String decode(int[] ids) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    boolean first = true;
    for (int id : ids) {
      boolean empty = bytes.length(id) == 0;
      int skip = first && !empty ? leadingSpace(bytes.get(id)) : 0;
      bytes.write(id, skip, out);
      first &= empty;
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Returns how many bytes of a text's first token were put there by encoding. */
  int leadingSpace(byte[] piece) {
    return 0;
  }

  @Override
  public StreamingDecoder newDecoder() {
    return new Utf8Decoder();
  }

  @Override
  public int bosId() {
    return vocabulary.bos;
  }

  @Override
  public int eosId() {
    return vocabulary.eos;
  }

  @Override
  public int unknownId() {
    return vocabulary.unknown;
  }

  @Override
  public int paddingId() {
    return vocabulary.padding;
  }

  @Override
  public boolean isEndOfGeneration(int id) {
    return vocabulary.endsTurn(id);
  }

  @Override
  public boolean isControl(int id) {
    return vocabulary.isControl(id);
  }

  /** Holds the first bytes of a character back until its last one comes. */
  private final class Utf8Decoder implements StreamingDecoder {
    private final CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);

    private ByteBuffer waiting = ByteBuffer.allocate(64);

    @Override
    public String accept(int id) {
      int length = bytes.length(id);
      if (waiting.remaining() < length) {
        ByteBuffer larger = ByteBuffer.allocate(2 * (waiting.position() + length));
        waiting.flip();
        waiting = larger.put(waiting);
      }
      bytes.get(id, waiting);
      return decode(false);
    }

    @Override
    public String finish() {
      return decode(true);
    }

    private String decode(boolean end) {
      waiting.flip();
      CharBuffer out = CharBuffer.allocate(waiting.remaining() + 2);
      CoderResult result = decoder.decode(waiting, out, end);
      if (end && !result.isError()) {
        decoder.flush(out);
        decoder.reset();
      }
      waiting.compact();
      return out.flip().toString();
    }
  }
}
