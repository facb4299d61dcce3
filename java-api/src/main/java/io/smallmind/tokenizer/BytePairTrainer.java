package io.smallmind.tokenizer;

import io.smallmind.error.BadArgumentException;
import io.smallmind.gguf.GgufValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Learns a byte-level vocabulary from text: beginning with the 256 bytes, the pair of tokens that
 * occurs most often becomes a token, over and over (Sennrich et al. 2016; Radford et al. 2019).
 * Pairs don't cross the borders of words, which are GPT-2's.
 *
 * <p>The same text gives the same vocabulary. Memory grows with the number of different words, not
 * with the length of the text. Not thread-safe.
 */
public final class BytePairTrainer {
  /** The token between texts, which has id 0. */
  public static final String SEPARATOR = "<|endoftext|>";

  private static final String WORDS = "gpt-2";
  private static final int FIRST_BYTE = 1;
  private static final int FIRST_MERGE = FIRST_BYTE + 256;

  /** A word as the tokens it consists of so far, and how often it occurs. */
  private static final class Word {
    int[] ids;
    final long count;

    Word(int[] ids, long count) {
      this.ids = ids;
      this.count = count;
    }
  }

  /** A pair at the time it had this count. */
  private record Candidate(long pair, long count) implements Comparable<Candidate> {
    /** The most frequent first; among equals the one whose tokens are older. */
    @Override
    public int compareTo(Candidate other) {
      int order = Long.compare(other.count, count);
      return order != 0 ? order : Long.compare(pair, other.pair);
    }
  }

  private final PreTokenizer preTokenizer = PreTokenizer.byName(WORDS);
  private final Map<String, Long> wordCounts = new HashMap<>();
  private final Map<Long, Long> pairCounts = new HashMap<>();
  private final Map<Long, Set<Integer>> wordsOfPair = new HashMap<>();
  private final PriorityQueue<Candidate> queue = new PriorityQueue<>();
  private final List<String> spellings = new ArrayList<>(); // of tokens: one character per byte

  /** Begins without any text. */
  public BytePairTrainer() {}

  /** Counts the words of a piece of text; pieces of a long text best end at line ends. */
  public void add(byte[] utf8) {
    String bytes = new String(utf8, StandardCharsets.ISO_8859_1);
    int begin = 0;
    while (begin <= bytes.length()) {
      int end = bytes.indexOf(SEPARATOR, begin);
      String part = bytes.substring(begin, end < 0 ? bytes.length() : end);
      for (String word : preTokenizer.split(part)) {
        wordCounts.merge(word, 1L, Long::sum);
      }
      begin = end < 0 ? bytes.length() + 1 : end + SEPARATOR.length();
    }
  }

  /**
   * Learns a vocabulary.
   *
   * @param size number of tokens: the one between texts, 256 bytes, and merged pairs
   * @return the entries that a model file needs, under their keys
   * @throws BadArgumentException if size is below 257, or the text has too few pairs for it
   */
  public Map<String, GgufValue> train(int size) {
    if (size < FIRST_MERGE) {
      throw new BadArgumentException(
          "a vocabulary of " + size + " tokens: choose " + FIRST_MERGE + " or more");
    }
    List<Word> words = words();
    spellings.clear();
    spellings.add(SEPARATOR);
    for (int value = 0; value < 256; value++) {
      spellings.add(String.valueOf((char) value));
    }
    for (int i = 0; i < words.size(); i++) {
      count(words.get(i), i, 1);
    }
    pairCounts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
    List<String> merges = new ArrayList<>();
    while (spellings.size() < size) {
      merges.add(merge(words, size));
    }
    pairCounts.clear();
    wordsOfPair.clear();
    queue.clear();
    return entries(merges);
  }

  private List<Word> words() {
    List<Word> words = new ArrayList<>();
    // In the order of the text itself, not of a hash table.
    wordCounts.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry ->
                words.add(
                    new Word(
                        entry.getKey().chars().map(value -> FIRST_BYTE + value).toArray(),
                        entry.getValue())));
    return words;
  }

  private static long pair(int left, int right) {
    return (long) left << 32 | right;
  }

  /** Adds a word's pairs to the counts, or with sign −1 takes them away. */
  private void count(Word word, int index, int sign) {
    for (int i = 0; i + 1 < word.ids.length; i++) {
      long pair = pair(word.ids[i], word.ids[i + 1]);
      pairCounts.merge(pair, sign * word.count, Long::sum);
      if (sign > 0) {
        wordsOfPair.computeIfAbsent(pair, each -> new HashSet<>()).add(index);
      }
    }
  }

  /** Makes the most frequent pair a token, and returns it as it stands in a model file. */
  private String merge(List<Word> words, int size) {
    long pair = mostFrequent(size);
    int left = (int) (pair >>> 32);
    int right = (int) pair;
    int id = spellings.size();
    spellings.add(spellings.get(left) + spellings.get(right));
    Set<Integer> concerned = wordsOfPair.remove(pair);
    Set<Long> changed = new HashSet<>();
    for (int index : concerned == null ? Set.<Integer>of() : concerned) {
      Word word = words.get(index);
      count(word, index, -1);
      addPairs(word, changed);
      word.ids = merged(word.ids, left, right, id);
      count(word, index, 1);
      addPairs(word, changed);
    }
    for (long each : changed) {
      long count = pairCounts.getOrDefault(each, 0L);
      if (count > 0) {
        queue.add(new Candidate(each, count));
      } else {
        pairCounts.remove(each);
      }
    }
    return ByteAlphabet.text(spellings.get(left)) + " " + ByteAlphabet.text(spellings.get(right));
  }

  private long mostFrequent(int size) {
    for (; ; ) {
      Candidate best = queue.poll();
      if (best == null || best.count() < 2) {
        throw new BadArgumentException(
            "the text gives "
                + spellings.size()
                + " tokens at most, not "
                + size
                + ": choose a smaller vocabulary, or give more text");
      }
      if (pairCounts.getOrDefault(best.pair(), 0L) == best.count()) { // or it is out of date
        return best.pair();
      }
    }
  }

  private static void addPairs(Word word, Set<Long> pairs) {
    for (int i = 0; i + 1 < word.ids.length; i++) {
      pairs.add(pair(word.ids[i], word.ids[i + 1]));
    }
  }

  private static int[] merged(int[] ids, int left, int right, int id) {
    int[] merged = new int[ids.length];
    int length = 0;
    for (int i = 0; i < ids.length; i++) {
      boolean joins = i + 1 < ids.length && ids[i] == left && ids[i + 1] == right;
      merged[length++] = joins ? id : ids[i];
      i += joins ? 1 : 0;
    }
    return Arrays.copyOf(merged, length);
  }

  private Map<String, GgufValue> entries(List<String> merges) {
    int[] types = new int[spellings.size()];
    Arrays.fill(types, Vocabulary.NORMAL);
    types[0] = Vocabulary.CONTROL;
    List<String> tokens = new ArrayList<>();
    tokens.add(SEPARATOR);
    for (String spelling : spellings.subList(1, spellings.size())) {
      tokens.add(ByteAlphabet.text(spelling));
    }
    Map<String, GgufValue> entries = new LinkedHashMap<>();
    entries.put("tokenizer.ggml.model", GgufValue.string("gpt2"));
    entries.put("tokenizer.ggml.pre", GgufValue.string(WORDS));
    entries.put("tokenizer.ggml.tokens", GgufValue.strings(tokens));
    entries.put("tokenizer.ggml.token_type", GgufValue.int32s(types));
    entries.put("tokenizer.ggml.merges", GgufValue.strings(merges));
    entries.put("tokenizer.ggml.bos_token_id", GgufValue.uint32(0));
    entries.put("tokenizer.ggml.eos_token_id", GgufValue.uint32(0));
    entries.put("tokenizer.ggml.add_bos_token", GgufValue.bool(true));
    return entries;
  }
}
