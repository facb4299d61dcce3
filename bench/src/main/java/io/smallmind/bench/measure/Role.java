package io.smallmind.bench.measure;

/** What a trial is in its case. */
public enum Role {
  /** A backend of this library. */
  BACKEND,
  /** Somebody else's way to do the same work, to compare with. */
  BASELINE,
  /** No work at all, but the most the machine can do of its kind. */
  LIMIT
}
