package io.smallmind.tokenizer.template;

import io.smallmind.error.BadModelFileException;
import io.smallmind.tokenizer.template.Token.Kind;
import java.util.List;

/** Where a parser is among the tokens of a template. Not thread-safe. */
final class Cursor {
  /** Deepest nesting of brackets, operators and blocks in a template. */
  static final int MAX_NESTING = 100;

  final Source source;
  private final List<Token> tokens;
  private int position;
  private int nesting;

  Cursor(Source source) {
    this.source = source;
    tokens = Lexer.tokenize(source);
  }

  Token peek() {
    return tokens.get(position);
  }

  Token peekBehind() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = tokens.get(position);
    if (token.kind() != Kind.END) {
      position++;
    }
    return token;
  }

  boolean isOperator(String text) {
    return peek().is(Kind.OPERATOR, text);
  }

  boolean isName(String text) {
    return peek().is(Kind.NAME, text);
  }

  boolean skipOperator(String text) {
    return skip(isOperator(text));
  }

  boolean skipName(String text) {
    return skip(isName(text));
  }

  private boolean skip(boolean there) {
    if (there) {
      position++;
    }
    return there;
  }

  void expectOperator(String text) {
    if (!skipOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  void expectName(String text) {
    if (!skipName(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  void expect(Kind kind, String what) {
    if (peek().kind() != kind) {
      throw unexpected(what);
    }
    position++;
  }

  String name() {
    if (peek().kind() != Kind.NAME) {
      throw unexpected("a name");
    }
    return next().text();
  }

  BadModelFileException unexpected(String wanted) {
    return source.error(peek().at(), peek().describe() + " where " + wanted + " should be");
  }

  void nest() {
    if (++nesting > MAX_NESTING) {
      throw source.error(peek().at(), "nested deeper than " + MAX_NESTING);
    }
  }

  void unnest() {
    nesting--;
  }
}
