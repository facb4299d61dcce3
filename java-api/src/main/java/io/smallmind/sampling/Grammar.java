package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;

/**
 * A language that generated text must belong to, by rules in GBNF: llama.cpp's notation for
 * grammars. Text begins with the rule {@code root}. Immutable and thread-safe.
 *
 * <p>Supported are rules ({@code name ::= …}), literals, character classes with ranges, negation
 * and escapes, the dot, groups, alternatives, {@code * + ?} and {@code {m,n}}, and comments. Texts
 * whose rules nest deeper than 512 don't belong to the language.
 */
public final class Grammar implements Constraint {
  /** Longest grammar, in UTF-16 units. */
  public static final int MAX_LENGTH = 1 << 20;

  /** Most elements of all rules, with repetitions written out. */
  public static final int MAX_ELEMENTS = 200_000;

  private static final class Json {
    static final Grammar ANY = parse(JsonSchema.ANY_JSON);

    private Json() {}
  }

  private final GrammarRules rules;

  private Grammar(GrammarRules rules) {
    this.rules = rules;
  }

  /**
   * Reads a grammar.
   *
   * @throws BadArgumentException if it is none, if a rule is undefined or left-recursive, or if it
   *     is too large; names line and column
   */
  public static Grammar parse(String gbnf) {
    return new Grammar(GrammarParser.parse(gbnf));
  }

  /** Returns the grammar of all JSON values. */
  public static Grammar json() {
    return Json.ANY;
  }

  /** Tells whether a whole text belongs to the language. */
  public boolean matches(String text) {
    GrammarState state = rules.start();
    for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
      state = state.after(value & 0xFF);
      if (state.isDead()) {
        return false;
      }
    }
    return state.isComplete();
  }

  @Override
  public TokenConstraint begin(Tokenizer tokenizer) {
    return new GrammarConstraint(rules.start(), TokenTrie.of(tokenizer));
  }
}
