package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * The tokens of a vocabulary that add text, sorted by their bytes, with what each shares with the
 * one before it: read in order, they are a walk through a tree of bytes. Immutable and thread-safe.
 */
final class TokenTrie {
  private static final Map<Tokenizer, TokenTrie> KNOWN =
      Collections.synchronizedMap(new WeakHashMap<>());

  final int[] ids; // (tokens): in the order of their bytes
  final byte[][] bytes; // (tokens)
  final int[] shared; // (tokens): leading bytes that are those of the token before
  final byte[][] byId; // (vocabulary)
  final int[] ends; // tokens that end a text

  private TokenTrie(Tokenizer tokenizer) {
    int size = tokenizer.vocabularySize();
    byId = new byte[size][];
    List<Integer> order = new ArrayList<>();
    List<Integer> ending = new ArrayList<>();
    for (int id = 0; id < size; id++) {
      byId[id] = tokenizer.bytes(id);
      if (tokenizer.isEndOfGeneration(id)) {
        ending.add(id);
      } else if (byId[id].length > 0 && !tokenizer.isControl(id)) {
        order.add(id);
      }
    }
    if (ending.isEmpty()) {
      throw new BadArgumentException(
          "the vocabulary has no token that ends a text, so that none can be constrained");
    }
    order.sort((left, right) -> Arrays.compareUnsigned(byId[left], byId[right]));
    ids = order.stream().mapToInt(Integer::intValue).toArray();
    ends = ending.stream().mapToInt(Integer::intValue).toArray();
    bytes = new byte[ids.length][];
    shared = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = byId[ids[i]];
      int mismatch = i == 0 ? 0 : Arrays.mismatch(bytes[i - 1], bytes[i]);
      shared[i] = mismatch < 0 ? bytes[i].length : mismatch;
    }
  }

  static TokenTrie of(Tokenizer tokenizer) {
    TokenTrie known = KNOWN.get(tokenizer);
    if (known == null) {
      known = new TokenTrie(tokenizer);
      KNOWN.put(tokenizer, known);
    }
    return known;
  }
}
