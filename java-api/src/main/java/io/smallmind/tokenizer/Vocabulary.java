package io.smallmind.tokenizer;

import io.smallmind.error.BadModelFileException;
import io.smallmind.gguf.GgufMetadata;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The tokens of a model file, each with the bytes it stands for. Immutable and thread-safe.
 *
 * <p>Bytes are handed around as strings of one character per byte (ISO 8859-1).
 */
final class Vocabulary {
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  /** Texts of tokens by which models end a turn, beside the one that the file names. */
  private static final Set<String> TURN_ENDS =
      Set.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "<|eom_id|>",
          "<|end_of_text|>",
          "< EOT >",
          "_<EOT>",
          "<EOT>",
          "<|end_story|>");

  private static final String PREFIX = "tokenizer.ggml.";
  private static final String TOKENS = PREFIX + "tokens";
  private static final long NONE = 0xFFFF_FFFFL;

  final GgufMetadata metadata;
  final float[] scores; // (vocabulary)
  final int[] types; // (vocabulary)
  final int bos;
  final int eos;
  final int unknown;
  final int separator;
  final int classifier;
  final int padding;
  private final ByteStrings entries; // (vocabulary): the stored bytes
  private final boolean[] turnEnds; // (vocabulary)

  Vocabulary(GgufMetadata metadata) {
    this.metadata = metadata;
    int size = metadata.length(TOKENS);
    if (size == 0) {
      throw new BadModelFileException(TOKENS + " is empty; the file has no vocabulary");
    }
    entries = new ByteStrings(size);
    metadata.forEachString(
        TOKENS,
        entry -> {
          entries.append(entry);
          entries.endKey();
        });
    double[] stored = metadata.reals(PREFIX + "scores", new double[0]);
    scores = new float[size];
    requireLength("scores", stored.length, size);
    for (int id = 0; id < stored.length; id++) {
      scores[id] = (float) stored[id];
    }
    long[] storedTypes = metadata.integers(PREFIX + "token_type", new long[0]);
    types = new int[size];
    requireLength("token_type", storedTypes.length, size);
    for (int id = 0; id < size; id++) {
      types[id] = storedTypes.length == 0 ? NORMAL : (int) storedTypes[id];
    }
    bos = special("bos_token_id");
    eos = special("eos_token_id");
    unknown = special("unknown_token_id");
    separator = special("seperator_token_id"); // The format spells it so.
    classifier = special("cls_token_id");
    padding = special("padding_token_id");
    int turnEnd = special("eot_token_id");
    turnEnds = new boolean[size];
    for (int id = 0; id < size; id++) {
      boolean special = types[id] == CONTROL || types[id] == USER_DEFINED;
      turnEnds[id] = id == eos || id == turnEnd || special && TURN_ENDS.contains(text(id));
    }
  }

  private static void requireLength(String name, int length, int size) {
    if (length != 0 && length != size) {
      throw new BadModelFileException(
          PREFIX + name + " has " + length + " values for " + size + " tokens");
    }
  }

  private int special(String name) {
    long id = metadata.integer(PREFIX + name, NONE);
    if (id == NONE || id == -1) {
      return -1;
    }
    if (id < 0 || id >= size()) {
      throw new BadModelFileException(
          PREFIX + name + " = " + id + " is not in the vocabulary of " + size());
    }
    return (int) id;
  }

  int size() {
    return entries.size();
  }

  /** Returns the token whose stored bytes these are, or −1. */
  int id(String bytes) {
    return entries.find(bytes);
  }

  /** Returns the token whose stored bytes are a part of these, or −1. */
  int id(String bytes, int begin, int end) {
    return entries.find(bytes, begin, end, 0);
  }

  /** Hands the stored bytes of each token to an action, in a buffer that the next one reuses. */
  void forEach(Consumer<ByteBuffer> action) {
    metadata.forEachString(TOKENS, action);
  }

  boolean flag(String name, boolean otherwise) {
    return metadata.bool(PREFIX + name, otherwise);
  }

  boolean isControl(int id) {
    return types[id] == CONTROL;
  }

  /** Tells whether a model ends its turn by a token. */
  boolean endsTurn(int id) {
    return turnEnds[id];
  }

  /** Returns the stored bytes of a token. */
  String entry(int id) {
    return entries.text(id);
  }

  /** Returns a token as it is stored. */
  String text(int id) {
    return new String(entries.get(id), StandardCharsets.UTF_8);
  }

  /** Returns UTF-8 bytes as text. */
  static String text(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** Returns text as UTF-8 bytes. */
  static String bytes(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }
}
