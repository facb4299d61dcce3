package io.smallmind.bench.measure;

/** What a trial is in its case. */
public enum Role {
  /** A backend of this library. */
  BACKEND,
  /** A backend of this library once more, in a {@link Condition} of its own. */
  VARIANT,
  /** Somebody else's way to do the same work, to compare with. */
  BASELINE,
  /** No work at all, but the most the machine can do of its kind. */
  LIMIT;

  /** Tells whether it is this library that does the work. */
  public boolean isOwn() {
    return this == BACKEND || this == VARIANT;
  }
}
