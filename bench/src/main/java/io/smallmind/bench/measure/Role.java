package io.smallmind.bench.measure;

/** What a trial is in its case. */
public enum Role {
  /** A backend of this library. */
  BACKEND,
  /** A backend of this library once more, in a {@link Condition} of its own. */
  VARIANT,
  /** Somebody else's way to do the same work, to compare with. */
  BASELINE,
  /** Somebody else's once more, in a {@link Condition} of its own. */
  BASELINE_VARIANT,
  /** No work at all, but the most the machine can do of its kind. */
  LIMIT;

  /** Tells whether it is this library that does the work. */
  public boolean isOwn() {
    return this == BACKEND || this == VARIANT;
  }

  /** Returns what a backend or baseline is once more, in a {@link Condition} of its own. */
  Role varied() {
    return switch (this) {
      case BACKEND, VARIANT -> VARIANT;
      case BASELINE, BASELINE_VARIANT -> BASELINE_VARIANT;
      case LIMIT -> LIMIT;
    };
  }
}
