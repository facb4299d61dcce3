package io.smallmind.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All places of a grammar where a text can be. Remembers where each byte leads. */
final class GrammarState {
  private final GrammarRules.StateCache cache;
  private final List<GrammarStack> places;
  private final @Nullable GrammarState[] next = new GrammarState[256];
  private final boolean complete;

  GrammarState(GrammarRules.StateCache cache, List<GrammarStack> places) {
    this.cache = cache;
    this.places = places;
    complete = places.stream().anyMatch(place -> place.element == GrammarStack.DONE);
  }

  /** Tells whether the text so far belongs to the language. */
  boolean isComplete() {
    return complete;
  }

  /** Tells whether the text so far belongs to the language, and no longer one does. */
  boolean isFinal() {
    return complete && places.stream().allMatch(place -> place.element == GrammarStack.DONE);
  }

  /** Tells whether no text that begins like this belongs to the language. */
  boolean isDead() {
    return places.isEmpty();
  }

  /** Forgets where bytes lead. */
  void forget() {
    Arrays.fill(next, null);
  }

  /** Returns how much work it was to find this state and all others of its generation. */
  long work() {
    return cache.visited;
  }

  /** Returns the state behind one more byte. */
  GrammarState after(int value) {
    GrammarState known = next[value];
    if (known == null) {
      GrammarRules rules = cache.rules;
      List<GrammarStack> moved = new ArrayList<>();
      for (GrammarStack place : places) {
        int element = place.element;
        if (element >= 0 && value >= rules.first[element] && value <= rules.second[element]) {
          moved.add(new GrammarStack(element + 1, place.below, place.depth));
        }
      }
      known = cache.state(moved);
      next[value] = known;
    }
    return known;
  }
}
