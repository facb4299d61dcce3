package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.Map;

/** Keeps a text within a grammar, byte by byte. Not thread-safe. */
final class GrammarConstraint implements TokenConstraint {
  /** Most states whose tokens are remembered. */
  private static final int MAX_REMEMBERED = 256;

  /** Most places of a grammar to visit for one token. */
  private static final long MAX_VISITED = 10_000_000;

  private final TokenTrie trie;
  private final Map<GrammarState, BitSet> allowed = new IdentityHashMap<>();
  private GrammarState state;
  private boolean ended;

  /** States along the bytes of the token that the walk is at. */
  private GrammarState[] path = new GrammarState[64];

  GrammarConstraint(GrammarState start, TokenTrie trie) {
    this.trie = trie;
    state = start;
  }

  @Override
  public void mask(float[] scores) {
    BitSet keep = allowed();
    int size = Math.min(scores.length, trie.byId.length);
    for (int id = keep.nextClearBit(0); id < size; id = keep.nextClearBit(id + 1)) {
      scores[id] = Float.NEGATIVE_INFINITY;
    }
    Arrays.fill(scores, size, scores.length, Float.NEGATIVE_INFINITY);
    if (keep.isEmpty() || keep.nextSetBit(0) >= size) {
      throw new BadArgumentException(
          "no token of the vocabulary can go on with this text within the grammar; allow characters"
              + " that the vocabulary has");
    }
  }

  /** Returns the tokens that may come next. */
  private BitSet allowed() {
    if (ended) {
      return ends(new BitSet());
    }
    BitSet keep = allowed.get(state);
    if (keep == null) {
      if (allowed.size() >= MAX_REMEMBERED) {
        allowed.clear();
      }
      keep = find();
      allowed.put(state, keep);
    }
    return keep;
  }

  private BitSet ends(BitSet keep) {
    for (int id : trie.ends) {
      keep.set(id);
    }
    return keep;
  }

  /** Finds the tokens all of whose bytes may come next. */
  private BitSet find() {
    BitSet keep = new BitSet(trie.byId.length);
    path[0] = state;
    long worked = state.work();
    int reached = 0; // bytes of the last token that led somewhere
    for (int i = 0; i < trie.ids.length; i++) {
      byte[] bytes = trie.bytes[i];
      if (path.length <= bytes.length) {
        path = Arrays.copyOf(path, 2 * bytes.length);
      }
      if (trie.shared[i] > reached) {
        continue; // It begins with the byte that led nowhere.
      }
      int at = trie.shared[i];
      while (at < bytes.length) {
        GrammarState next = path[at].after(bytes[at] & 0xFF);
        if (next.isDead()) {
          break;
        }
        if (next.work() - worked > MAX_VISITED) {
          throw new BadArgumentException(
              "the grammar is too ambiguous: it takes too long to find which tokens may come next;"
                  + " simplify it");
        }
        path[++at] = next;
      }
      reached = at;
      if (at == bytes.length) {
        keep.set(trie.ids[i]);
      }
    }
    return state.isComplete() ? ends(keep) : keep;
  }

  @Override
  public void accept(int token) {
    byte[] bytes = trie.byId[token];
    if (bytes.length == 0 || isEnd(token)) {
      ended = true;
      return;
    }
    for (byte value : bytes) {
      state = state.after(value & 0xFF);
    }
    if (state.isDead()) {
      throw new BadArgumentException("token " + token + " leaves the grammar");
    }
  }

  private boolean isEnd(int token) {
    for (int id : trie.ends) {
      if (id == token) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean isComplete() {
    return ended || state.isComplete();
  }

  @Override
  public boolean isFinished() {
    // A vocabulary without a token for the end may have none for what could follow either.
    return ended || state.isFinal() || state.isComplete() && allowed().isEmpty();
  }
}
