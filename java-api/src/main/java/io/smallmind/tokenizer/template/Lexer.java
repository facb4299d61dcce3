package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens. White space around tags goes as transformers sets Jinja up: the line
 * feed behind a statement or comment, and blanks before it at the begin of a line, are dropped.
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",",
          ":", "|", "(", ")", "[", "]", "{", "}");

  private static final Pattern RAW =
      Pattern.compile("\\{%[-+]?[ \\t\\n]{0,99}raw[ \\t\\n]{0,99}([-+]?)%\\}");
  private static final Pattern END_RAW =
      Pattern.compile("\\{%([-+]?)[ \\t\\n]{0,99}endraw[ \\t\\n]{0,99}([-+]?)%\\}");

  private final Source source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private boolean lineBegins = true;

  private Lexer(Source source) {
    this.source = source;
    text = source.text();
  }

  static List<Token> tokenize(Source source) {
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    int end = text.endsWith("\n") ? text.length() - 1 : text.length();
    while (at < end) {
      int tag = nextTag(at, end);
      data(at, tag, tag < end ? text.charAt(tag + 1) : ' ');
      if (tag == end) {
        break;
      }
      at = tag;
      switch (text.charAt(tag + 1)) {
        case '{' -> tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
        case '%' -> {
          Matcher raw = RAW.matcher(text).region(at, text.length());
          if (raw.lookingAt()) {
            raw(raw);
          } else {
            tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
          }
        }
        default -> comment();
      }
    }
    tokens.add(new Token(Kind.END, "", text.length()));
  }

  private int nextTag(int from, int end) {
    for (int i = text.indexOf('{', from); i >= 0 && i + 1 < end; i = text.indexOf('{', i + 1)) {
      char next = text.charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
    }
    return end;
  }

  /** Takes the text before a tag. */
  private void data(int begin, int tag, char kind) {
    int end = tag;
    char sign = tag + 2 < text.length() ? text.charAt(tag + 2) : ' ';
    if (kind != ' ' && sign == '-') {
      while (end > begin && isSpace(text.charAt(end - 1))) {
        end--;
      }
    } else if ((kind == '%' || kind == '#') && sign != '+') {
      int line = end;
      while (line > begin && text.charAt(line - 1) != '\n') {
        line--;
      }
      if ((line > begin || lineBegins) && text.substring(line, end).isBlank()) {
        end = line;
      }
    }
    if (end > begin) {
      tokens.add(new Token(Kind.DATA, text.substring(begin, end), begin));
    }
  }

  private void comment() {
    int end = text.indexOf("#}", at + 2);
    if (end < 0) {
      throw source.error(at, "a comment without end");
    }
    char sign = text.charAt(end - 1);
    at = end + 2;
    behind(sign, true);
  }

  private void raw(Matcher begin) {
    Matcher end = END_RAW.matcher(text);
    if (!end.find(begin.end())) {
      throw source.error(at, "'raw' without 'endraw'");
    }
    at = begin.end();
    behind(begin.group(1).isEmpty() ? ' ' : begin.group(1).charAt(0), true);
    data(at, Math.max(at, end.start()), '%');
    at = end.end();
    behind(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
  }

  /** Drops white space behind a tag. */
  private void behind(char sign, boolean trims) {
    int from = at;
    if (sign == '-') {
      while (at < text.length() && isSpace(text.charAt(at))) {
        at++;
      }
    } else if (trims && sign != '+' && at < text.length() && text.charAt(at) == '\n') {
      at++;
    }
    lineBegins = at > from && text.charAt(at - 1) == '\n';
  }

  private void tag(Kind begin, Kind end, String close) {
    int open = at;
    tokens.add(new Token(begin, text.substring(at, at + 2), at));
    at += 2;
    if (at < text.length() && (text.charAt(at) == '-' || text.charAt(at) == '+')) {
      at++;
    }
    int brackets = 0;
    while (true) {
      while (at < text.length() && isSpace(text.charAt(at))) {
        at++;
      }
      if (at >= text.length()) {
        throw source.error(open, "a tag without end");
      }
      if (brackets == 0) {
        char sign = text.charAt(at);
        int from = sign == '-' || sign == '+' ? at + 1 : at;
        if (text.startsWith(close, from)) {
          tokens.add(new Token(end, close, at));
          at = from + 2;
          behind(sign, end == Kind.BLOCK_END);
          return;
        }
      }
      brackets += token();
    }
  }

  /** Takes one token; returns how it changes the number of open brackets. */
  private int token() {
    char first = text.charAt(at);
    int begin = at;
    if (first == '\'' || first == '"') {
      string(first);
    } else if (isDigit(first)) {
      number();
    } else if (first == '_' || Character.isLetter(first)) {
      while (at < text.length()
          && (text.charAt(at) == '_' || Character.isLetterOrDigit(text.charAt(at)))) {
        at++;
      }
      tokens.add(new Token(Kind.NAME, text.substring(begin, at), begin));
    } else {
      for (String operator : OPERATORS) {
        if (text.startsWith(operator, at)) {
          at += operator.length();
          tokens.add(new Token(Kind.OPERATOR, operator, begin));
          return "([{".contains(operator) ? 1 : ")]}".contains(operator) ? -1 : 0;
        }
      }
      throw source.error(at, "unexpected '" + first + "'");
    }
    return 0;
  }

  private void number() {
    int begin = at;
    boolean real = false;
    while (at < text.length() && (isDigit(text.charAt(at)) || text.charAt(at) == '_')) {
      at++;
    }
    if (at + 1 < text.length() && text.charAt(at) == '.' && isDigit(text.charAt(at + 1))) {
      real = true;
      at++;
      while (at < text.length() && isDigit(text.charAt(at))) {
        at++;
      }
    }
    String digits = text.substring(begin, at).replace("_", "");
    tokens.add(new Token(real ? Kind.REAL : Kind.INTEGER, digits, begin));
  }

  private void string(char quote) {
    int begin = at++;
    StringBuilder value = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      char character = text.charAt(at++);
      if (character == '\\' && at < text.length()) {
        escape(value);
      } else {
        value.append(character);
      }
    }
    if (at >= text.length()) {
      throw source.error(begin, "a string without end");
    }
    at++;
    tokens.add(new Token(Kind.STRING, value.toString(), begin));
  }

  private void escape(StringBuilder value) {
    char kind = text.charAt(at++);
    switch (kind) {
      case 'n' -> value.append('\n');
      case 't' -> value.append('\t');
      case 'r' -> value.append('\r');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'v' -> value.append('\u000b');
      case 'a' -> value.append('\u0007');
      case '0' -> value.append('\0');
      case '\\', '\'', '"' -> value.append(kind);
      case '\n' -> {}
      case 'x' -> value.appendCodePoint(hexadecimal(2));
      case 'u' -> value.append((char) hexadecimal(4));
      case 'U' -> value.appendCodePoint(hexadecimal(8));
      default -> value.append('\\').append(kind);
    }
  }

  private int hexadecimal(int digits) {
    int end = at + digits;
    long point = -1;
    if (end <= text.length() && text.substring(at, end).matches("[0-9A-Fa-f]+")) {
      point = Long.parseLong(text.substring(at, end), 16);
    }
    if (point < 0 || point > Character.MAX_CODE_POINT) {
      throw source.error(at, "a bad escape in a string");
    }
    at = end;
    return (int) point;
  }

  private static boolean isDigit(char character) {
    return character >= '0' && character <= '9';
  }

  private static boolean isSpace(char character) {
    return character == ' ' || character >= '\t' && character <= '\r';
  }
}
