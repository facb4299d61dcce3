package io.smallmind.tokenizer;

import io.smallmind.error.BadModelFileException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Splits text into words by the rules of a model family, and merges the bytes of each word pair by
 * pair, in the order the vocabulary's merges were learned (Sennrich et al. 2016; Radford et al.
 * 2019).
 */
final class BytePairTokenizer extends AbstractTokenizer {
  private static final String MERGES = "tokenizer.ggml.merges";

  private final PreTokenizer preTokenizer;
  private final ByteStrings ranks; // (merges): left and right; the tag is the left one's length
  private final ByteStrings spellings; // (vocabulary): what each token is found by
  private final boolean addBos;
  private final boolean addEos;

  BytePairTokenizer(Vocabulary vocabulary) {
    super(vocabulary);
    preTokenizer = PreTokenizer.byName(vocabulary.metadata.string("tokenizer.ggml.pre", "default"));
    addBos = vocabulary.flag("add_bos_token", preTokenizer.addsBos());
    addEos = vocabulary.flag("add_eos_token", false);
    spellings = new ByteStrings(vocabulary.size());
    vocabulary.forEach(this::addSpelling);
    ranks = new ByteStrings(vocabulary.metadata.value(MERGES).length());
    vocabulary.metadata.forEachString(MERGES, this::addMerge);
    spell();
  }

  private void addSpelling(ByteBuffer entry) {
    int type = vocabulary.types[spellings.size()];
    spell(spellings.size(), entry, spellings);
    if (type == Vocabulary.CONTROL || type == Vocabulary.UNUSED) {
      spellings.endHidden();
    } else {
      spellings.endKey();
    }
  }

  @Override
  void spell(int id, ByteBuffer entry, ByteStrings spellings) {
    if (!ByteAlphabet.decode(entry, entry.position(), entry.limit(), spellings)) {
      spellings.restart();
      spellings.append(entry);
    }
  }

  private void addMerge(ByteBuffer merge) {
    int begin = merge.position();
    int end = merge.limit();
    int space = begin + 1;
    while (space < end && merge.get(space) != ' ') {
      space++;
    }
    boolean pair = space < end && ByteAlphabet.decode(merge, begin, space, ranks);
    int left = ranks.pending();
    if (!pair || !ByteAlphabet.decode(merge, space + 1, end, ranks)) {
      String text = StandardCharsets.UTF_8.decode(merge).toString();
      throw new BadModelFileException(
          MERGES + "[" + ranks.size() + "] = '" + text + "' is no pair of tokens");
    }
    ranks.endKey(left);
  }

  @Override
  void encodePlain(String text, boolean first, IdList ids) {
    for (String word : preTokenizer.split(text)) {
      int whole = preTokenizer.takesWholeWords() ? spellings.find(word) : -1;
      if (whole >= 0) {
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
            return ranks.find(word, begin, end, middle - begin);
          }
        };
    for (int at = 0; at < word.length(); at++) {
      symbols.add(at, at + 1);
    }
    symbols.merge();
    for (int at = 0; at < word.length(); at = symbols.end(at)) {
      int id = spellings.find(word, at, symbols.end(at), 0);
      if (id >= 0) {
        ids.add(id);
      } else {
        addBytes(word, at, symbols.end(at), ids);
      }
    }
  }

  private void addBytes(String word, int begin, int end, IdList ids) {
    for (int at = begin; at < end; at++) {
      int id = spellings.find(word, at, at + 1, 0);
      if (id >= 0 || vocabulary.unknown >= 0) {
        ids.add(id >= 0 ? id : vocabulary.unknown);
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
