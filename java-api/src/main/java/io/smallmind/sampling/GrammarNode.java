package io.smallmind.sampling;

import java.util.List;

/** A part of a rule as it was written. Immutable. */
sealed interface GrammarNode {
  /**
   * One character out of ranges of code points.
   *
   * @param ranges first and last code points, ascending, apart from each other
   */
  record Characters(List<int[]> ranges) implements GrammarNode {}

  /**
   * What another rule says.
   *
   * @param at offset in the grammar
   */
  record Reference(String name, int at) implements GrammarNode {}

  /** One behind the other. */
  record Sequence(List<GrammarNode> parts) implements GrammarNode {}

  /** One of several. */
  record Choice(List<GrammarNode> ways) implements GrammarNode {}

  /**
   * The same several times.
   *
   * @param most −1 for any number
   */
  record Repeat(GrammarNode part, int least, int most) implements GrammarNode {}
}
