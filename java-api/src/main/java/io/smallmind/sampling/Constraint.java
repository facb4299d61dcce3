package io.smallmind.sampling;

import io.smallmind.tokenizer.Tokenizer;

/** A rule for whole texts, such as a grammar. Immutable and thread-safe. */
@FunctionalInterface
public interface Constraint {
  /** Begins a text of one generation. */
  TokenConstraint begin(Tokenizer tokenizer);
}
