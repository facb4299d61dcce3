package io.smallmind.model;

/**
 * Hears where the time of forward passes goes: see {@link Batch#observe}. Every member of the team
 * calls it, each with its own number: what it keeps must be apart for each. It must neither throw
 * nor take long.
 */
public interface PassObserver {
  /** Stands for what belongs to no layer. */
  int NO_LAYER = -1;

  /** The kinds of work of a pass. */
  enum Step {
    /** Tokens to vectors, and the angles of their positions. */
    EMBEDDING("embedding"),
    /** Norms, sums, and rounding of what the next products read. */
    NORMS("norms and sums"),
    /** Products that give queries, keys and values. */
    ATTENTION_INPUTS("queries, keys, values"),
    /** Rotation, storing of keys and values, and attention itself. */
    ATTENTION("attention"),
    /** The product behind attention. */
    ATTENTION_OUTPUT("attention output"),
    /** Gate and up, activated. */
    FEED_FORWARD_INPUTS("gate and up"),
    /** Down. */
    FEED_FORWARD_OUTPUT("down"),
    /** A feed-forward block of experts, with all its waiting. */
    EXPERTS("experts"),
    /** The scores of all tokens of the vocabulary. */
    OUTPUT("scores");

    private final String title;

    Step(String title) {
      this.title = title;
    }

    /** Returns what it is, for a person. */
    public String title() {
      return title;
    }
  }

  /** A member begins a pass. */
  void begun(int member);

  /**
   * A member has worked since the last call.
   *
   * @param layer that it worked on, or {@link #NO_LAYER}
   */
  void worked(int member, int layer, Step step);

  /** A member has waited for the others, at the end of a step, since the last call. */
  void waited(int member, int layer, Step step);
}
