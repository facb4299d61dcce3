package io.smallmind.tokenizer;

import io.smallmind.error.BadModelFileException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Splits text into words by the rules of a model family, and merges the bytes of each word pair by
 * pair, in the order the vocabulary's merges were learned (Sennrich et al. 2016; Radford et al.
 * 2019).
 */
final class BytePairTokenizer extends AbstractTokenizer {
  /** Separates the two sides of a merge in a key; no byte has this value. */
  private static final char SEPARATOR = '\u0100';

  private final PreTokenizer preTokenizer;
  private final Map<String, Integer> ranks; // left + separator + right
  private final Map<String, Integer> idsByBytes;
  private final String[] spellings;
  private final boolean addBos;
  private final boolean addEos;

  BytePairTokenizer(Vocabulary vocabulary) {
    super(vocabulary);
    preTokenizer = PreTokenizer.byName(vocabulary.metadata.string("tokenizer.ggml.pre", "default"));
    addBos = vocabulary.flag("add_bos_token", preTokenizer.addsBos());
    addEos = vocabulary.flag("add_eos_token", false);
    int size = vocabulary.size();
    spellings = new String[size];
    idsByBytes = HashMap.newHashMap(size);
    for (int id = 0; id < size; id++) {
      String bytes = ByteAlphabet.bytes(vocabulary.text(id));
      spellings[id] = bytes != null ? bytes : vocabulary.entries[id];
      int type = vocabulary.types[id];
      if (type != Vocabulary.CONTROL && type != Vocabulary.UNUSED) {
        idsByBytes.putIfAbsent(spellings[id], id);
      }
    }
    List<String> merges = vocabulary.metadata.strings("tokenizer.ggml.merges");
    ranks = HashMap.newHashMap(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      String merge = merges.get(rank);
      int space = merge.indexOf(' ', 1);
      String left = space < 0 ? null : ByteAlphabet.bytes(merge.substring(0, space));
      String right = space < 0 ? null : ByteAlphabet.bytes(merge.substring(space + 1));
      if (left == null || right == null) {
        throw new BadModelFileException(
            "tokenizer.ggml.merges[" + rank + "] = '" + merge + "' is no pair of tokens");
      }
      ranks.putIfAbsent(left + SEPARATOR + right, rank);
    }
    spell();
  }

  @Override
  byte[] spelling(int id) {
    return spellings[id].getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  void encodePlain(String text, boolean first, IdList ids) {
    for (String word : preTokenizer.split(text)) {
      Integer whole = preTokenizer.takesWholeWords() ? idsByBytes.get(word) : null;
      if (whole != null) {
        ids.add(whole);
      } else {
        encodeWord(word, ids);
      }
    }
  }

  private void encodeWord(String word, IdList ids) {
    Symbols symbols =
        new Symbols(word) {
          @Override
          long priority(int begin, int middle, int end) {
            String pair = word.substring(begin, middle) + SEPARATOR + word.substring(middle, end);
            return ranks.getOrDefault(pair, -1);
          }
        };
    for (int at = 0; at < word.length(); at++) {
      symbols.add(at, at + 1);
    }
    symbols.merge();
    for (int at = 0; at < word.length(); at = symbols.end(at)) {
      Integer id = idsByBytes.get(word.substring(at, symbols.end(at)));
      if (id != null) {
        ids.add(id);
      } else {
        addBytes(word, at, symbols.end(at), ids);
      }
    }
  }

  private void addBytes(String word, int begin, int end, IdList ids) {
    for (int at = begin; at < end; at++) {
      int id = idsByBytes.getOrDefault(word.substring(at, at + 1), vocabulary.unknown);
      if (id >= 0) {
        ids.add(id);
      }
    }
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
