package io.smallmind.sampling;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An element to be matched, and those to go on with behind it. Immutable. */
final class GrammarStack {
  /** Stands for the end of the text. */
  static final int DONE = -1;

  final int element;
  final @Nullable GrammarStack below;
  final int depth;
  private final int hash;

  GrammarStack(int element, @Nullable GrammarStack below, int depth) {
    this.element = element;
    this.below = below;
    this.depth = depth;
    hash = 31 * (below == null ? 17 : below.hash) + element;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (!(other instanceof GrammarStack)) {
      return false;
    }
    GrammarStack mine = this;
    GrammarStack theirs = (GrammarStack) other;
    while (mine != theirs) {
      if (mine.element != theirs.element
          || mine.hash != theirs.hash
          || mine.depth != theirs.depth) {
        return false;
      }
      GrammarStack next = mine.below;
      GrammarStack nextOfTheirs = theirs.below;
      if (next == null || nextOfTheirs == null) {
        return Objects.equals(next, nextOfTheirs);
      }
      mine = next;
      theirs = nextOfTheirs;
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
