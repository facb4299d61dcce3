package io.smallmind;

/** Hears of each token as it comes, on the thread that generates. */
@FunctionalInterface
public interface TokenListener {
  /** Hears of a token; what this throws ends the generation and reaches its caller. */
  void onToken(Token token);
}
