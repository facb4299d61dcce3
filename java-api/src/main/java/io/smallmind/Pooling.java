package io.smallmind;

/** How the vectors of a text's tokens become one. */
public enum Pooling {
  /** Their mean. */
  MEAN,
  /** The last token's. */
  LAST,
  /** The first token's. */
  CLS
}
