package io.smallmind.sampling;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rules over bytes, as a table of elements: an element takes a byte, calls a rule, chooses between
 * two ways, goes elsewhere, or ends its rule. Immutable and thread-safe, once built.
 */
final class GrammarRules {
  static final int BYTES = 0;
  static final int CALL = 1;
  static final int CHOICE = 2;
  static final int JUMP = 3;
  static final int END = 4;

  /** Kinds of elements, and for each up to two numbers. */
  final int[] kinds; // (elements)

  /** First byte, rule's begin, first way, or target. */
  final int[] first; // (elements)

  /** Last byte, or second way. */
  final int[] second; // (elements)

  private final int root;

  GrammarRules(int[] kinds, int[] first, int[] second, int root) {
    this.kinds = kinds;
    this.first = first;
    this.second = second;
    this.root = root;
  }

  /** Returns the state before any text; states are remembered per start, and so per generation. */
  GrammarState start() {
    StateCache cache = new StateCache(this);
    return cache.state(List.of(new GrammarStack(root, null, 1)));
  }

  /** The states that one generation has met. Not thread-safe. */
  static final class StateCache {
    /** Most places of all states to remember. */
    private static final int MAX_PLACES = 1 << 18;

    /** Most places that a text can be at, and deepest nesting of rules. */
    static final int MAX_STACKS = 4096;

    static final int MAX_DEPTH = 512;

    final GrammarRules rules;
    private final Map<List<GrammarStack>, GrammarState> states = new HashMap<>();
    private int places;

    /** Places that were visited in all, which is what work there was. */
    long visited;

    StateCache(GrammarRules rules) {
      this.rules = rules;
    }

    /** Returns the state of being at any of these places; follows what takes no byte. */
    GrammarState state(List<GrammarStack> begins) {
      GrammarWalk walk = new GrammarWalk(rules);
      List<GrammarStack> settled = walk.settle(begins);
      visited += walk.visited();
      GrammarState known = states.get(settled);
      if (known == null) {
        if (places > MAX_PLACES) {
          states.values().forEach(GrammarState::forget); // What leads to a state keeps it alive.
          states.clear();
          places = 0;
        }
        places += 16 + settled.size();
        known = new GrammarState(this, new ArrayList<>(settled));
        states.put(settled, known);
      }
      return known;
    }
  }
}
