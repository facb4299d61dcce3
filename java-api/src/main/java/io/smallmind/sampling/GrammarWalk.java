package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Follows the elements that take no byte, up to those that do. Not thread-safe. */
final class GrammarWalk {
  private final GrammarRules rules;
  private final Set<GrammarStack> seen = new LinkedHashSet<>();
  private final Deque<GrammarStack> open = new ArrayDeque<>();

  GrammarWalk(GrammarRules rules) {
    this.rules = rules;
  }

  /** Returns how many places were looked at. */
  int visited() {
    return seen.size();
  }

  /** Returns the places that take a byte, or end the text; in an order of their own. */
  List<GrammarStack> settle(List<GrammarStack> places) {
    places.forEach(this::visit);
    List<GrammarStack> settled = new ArrayList<>();
    while (!open.isEmpty()) {
      GrammarStack stack = open.pop();
      int element = stack.element;
      GrammarStack below = stack.below;
      if (element == GrammarStack.DONE || rules.kinds[element] == GrammarRules.BYTES) {
        settled.add(stack);
        continue;
      }
      switch (rules.kinds[element]) {
        case GrammarRules.CALL -> {
          // A call at a rule's very end needs no way back.
          GrammarStack back = behind(element, below, stack.depth);
          visit(new GrammarStack(rules.first[element], back, depth(back) + 1));
        }
        case GrammarRules.CHOICE -> {
          visit(new GrammarStack(rules.first[element], below, stack.depth));
          visit(new GrammarStack(rules.second[element], below, stack.depth));
        }
        case GrammarRules.JUMP -> visit(new GrammarStack(rules.first[element], below, stack.depth));
        default -> visit(below == null ? new GrammarStack(GrammarStack.DONE, null, 1) : below);
      }
    }
    settled.sort(
        Comparator.comparingInt((GrammarStack stack) -> stack.element)
            .thenComparingInt(stack -> stack.depth)
            .thenComparingInt(GrammarStack::hashCode));
    return settled;
  }

  private static int depth(@Nullable GrammarStack stack) {
    return stack == null ? 0 : stack.depth;
  }

  private @Nullable GrammarStack behind(int call, @Nullable GrammarStack below, int depth) {
    int next = call + 1;
    while (rules.kinds[next] == GrammarRules.JUMP) {
      next = rules.first[next];
    }
    return rules.kinds[next] == GrammarRules.END ? below : new GrammarStack(next, below, depth);
  }

  private void visit(GrammarStack stack) {
    if (stack.depth > GrammarRules.StateCache.MAX_DEPTH) {
      return; // Texts that nest deeper don't belong to the language.
    }
    if (seen.add(stack)) {
      if (seen.size() > GrammarRules.StateCache.MAX_STACKS) {
        throw new BadArgumentException(
            "the grammar is too ambiguous: more than "
                + GrammarRules.StateCache.MAX_STACKS
                + " ways to read one text; simplify it");
      }
      open.push(stack);
    }
  }
}
