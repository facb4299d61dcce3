package io.smallmind.tensor;

/** The 16 levels that IQ4_NL and IQ4_XS choose from: denser near zero, as weights are. */
final class Iq4Levels {
  /** Ascending; source: ggml-common.h, kvalues_iq4nl. */
  static final float[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private Iq4Levels() {}
}
