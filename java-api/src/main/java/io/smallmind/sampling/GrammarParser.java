package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import io.smallmind.sampling.GrammarNode.Characters;
import io.smallmind.sampling.GrammarNode.Choice;
import io.smallmind.sampling.GrammarNode.Reference;
import io.smallmind.sampling.GrammarNode.Repeat;
import io.smallmind.sampling.GrammarNode.Sequence;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads rules in GBNF. Not thread-safe. */
final class GrammarParser {
  /** Deepest nesting of groups, and most repetitions of one repetition. */
  private static final int MAX_NESTING = 100;

  /** Largest number in braces. */
  private static final int MAX_REPEAT = 100_000;

  /** A rule: where its name stands, and what it says. */
  record Rule(int at, GrammarNode body) {}

  private final String text;
  private int at;
  private int nesting;

  private GrammarParser(String text) {
    this.text = text;
  }

  static GrammarRules parse(String text) {
    if (text.length() > Grammar.MAX_LENGTH) {
      throw new BadArgumentException(
          "a grammar of "
              + text.length()
              + " characters; at most "
              + Grammar.MAX_LENGTH
              + " are read: simplify it");
    }
    GrammarParser parser = new GrammarParser(text);
    Map<String, Rule> rules = new LinkedHashMap<>();
    parser.space();
    while (parser.at < text.length()) {
      int begin = parser.at;
      String name = parser.name();
      parser.space();
      if (!text.startsWith("::=", parser.at)) {
        throw error(text, parser.at, "'::=' should be here");
      }
      parser.at += 3;
      parser.space();
      if (rules.put(name, new Rule(begin, parser.choice())) != null) {
        throw error(text, begin, "the rule '" + name + "' is there already");
      }
      if (parser.at < text.length() && text.charAt(parser.at) == ')') {
        throw error(text, parser.at, "')' without '('");
      }
    }
    return new GrammarCompiler(text, rules).compile();
  }

  static BadArgumentException error(String text, int at, String problem) {
    int line = 1;
    int begin = 0;
    for (int i = 0; i < Math.min(at, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
        begin = i + 1;
      }
    }
    return new BadArgumentException(
        "grammar, line " + line + ", column " + (at - begin + 1) + ": " + problem);
  }

  private BadArgumentException error(String problem) {
    return error(text, at, problem);
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private void space() {
    while (at < text.length()) {
      if (Character.isWhitespace(text.charAt(at))) {
        at++;
      } else if (text.charAt(at) == '#') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else {
        return;
      }
    }
  }

  private static boolean isNamePart(char character) {
    return character == '-'
        || character == '_'
        || character >= '0' && character <= '9'
        || character >= 'a' && character <= 'z'
        || character >= 'A' && character <= 'Z';
  }

  private String name() {
    int begin = at;
    while (isNamePart(peek())) {
      at++;
    }
    if (at == begin) {
      throw error("a rule's name should be here");
    }
    return text.substring(begin, at);
  }

  private GrammarNode choice() {
    if (++nesting > MAX_NESTING) {
      throw error("groups nested deeper than " + MAX_NESTING);
    }
    List<GrammarNode> ways = new ArrayList<>(List.of(sequence()));
    while (peek() == '|') {
      at++;
      space();
      ways.add(sequence());
    }
    nesting--;
    return ways.size() == 1 ? ways.getFirst() : new Choice(ways);
  }

  private GrammarNode sequence() {
    List<GrammarNode> parts = new ArrayList<>();
    while (at < text.length() && peek() != '|' && peek() != ')' && !beginsRule()) {
      GrammarNode part = repeated(element());
      parts.add(part);
    }
    return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
  }

  private boolean beginsRule() {
    if (!isNamePart(peek())) {
      return false;
    }
    int before = at;
    name();
    space();
    boolean begins = text.startsWith("::=", at);
    at = before;
    return begins;
  }

  private GrammarNode element() {
    int begin = at;
    switch (peek()) {
      case '"' -> {
        return literal();
      }
      case '[' -> {
        return characters();
      }
      case '.' -> {
        at++;
        space();
        return new Characters(complement(List.of()));
      }
      case '(' -> {
        at++;
        space();
        GrammarNode group = choice();
        if (peek() != ')') {
          throw error(text, begin, "'(' without ')'");
        }
        at++;
        space();
        return group;
      }
      default -> {
        if (!isNamePart(peek())) {
          throw error("unexpected '" + peek() + "'");
        }
        String name = name();
        space();
        return new Reference(name, begin);
      }
    }
  }

  private GrammarNode repeated(GrammarNode part) {
    GrammarNode node = part;
    for (int levels = 0; ; levels++) {
      int begin = at;
      switch (peek()) {
        case '*' -> node = new Repeat(node, 0, -1);
        case '+' -> node = new Repeat(node, 1, -1);
        case '?' -> node = new Repeat(node, 0, 1);
        case '{' -> {
          at++;
          space();
          int least = number();
          int most = least;
          if (peek() == ',') {
            at++;
            space();
            most = peek() == '}' ? -1 : number();
          }
          if (peek() != '}' || most >= 0 && most < least) {
            throw error(text, begin, "a bad count: {m}, {m,} or {m,n} with m <= n should be here");
          }
          node = new Repeat(node, least, most);
        }
        default -> {
          return node;
        }
      }
      at++;
      space();
      if (levels == MAX_NESTING) {
        throw error("too many repetitions of repetitions");
      }
    }
  }

  private int number() {
    int begin = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == begin || at - begin > 6 || Integer.parseInt(text, begin, at, 10) > MAX_REPEAT) {
      throw error(text, begin, "a number up to " + MAX_REPEAT + " should be here");
    }
    int number = Integer.parseInt(text, begin, at, 10);
    space();
    return number;
  }

  private GrammarNode literal() {
    int begin = at++;
    List<GrammarNode> parts = new ArrayList<>();
    while (peek() != '"') {
      int point = character(begin);
      parts.add(new Characters(List.of(new int[] {point, point})));
    }
    at++;
    space();
    return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
  }

  private GrammarNode characters() {
    int begin = at++;
    boolean negated = peek() == '^';
    if (negated) {
      at++;
    }
    List<int[]> ranges = new ArrayList<>();
    while (peek() != ']') {
      int first = character(begin);
      int last = first;
      if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        last = character(begin);
      }
      if (last < first) {
        throw error("a range that ends before it begins");
      }
      ranges.add(new int[] {first, last});
    }
    at++;
    space();
    List<int[]> merged = merge(ranges);
    if (negated ? merged.isEmpty() : ranges.isEmpty()) {
      throw error(text, begin, "an empty class of characters");
    }
    return new Characters(negated ? complement(merged) : merged);
  }

  private static List<int[]> merge(List<int[]> ranges) {
    List<int[]> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparingInt(range -> range[0]));
    List<int[]> merged = new ArrayList<>();
    for (int[] range : sorted) {
      if (!merged.isEmpty() && merged.getLast()[1] >= range[0] - 1) {
        merged.getLast()[1] = Math.max(merged.getLast()[1], range[1]);
      } else {
        merged.add(range.clone());
      }
    }
    return merged;
  }

  private static List<int[]> complement(List<int[]> ranges) {
    List<int[]> others = new ArrayList<>();
    int from = 0;
    for (int[] range : ranges) {
      if (range[0] > from) {
        others.add(new int[] {from, range[0] - 1});
      }
      from = range[1] + 1;
    }
    if (from <= Character.MAX_CODE_POINT) {
      others.add(new int[] {from, Character.MAX_CODE_POINT});
    }
    return others;
  }

  private int character(int begin) {
    if (at >= text.length() || peek() == '\n') {
      throw error(text, begin, "a literal or class without end");
    }
    int point = text.codePointAt(at);
    at += Character.charCount(point);
    if (point != '\\') {
      return point;
    }
    char kind = peek();
    at++;
    return switch (kind) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '\\', '"', '[', ']', '-', '^' -> kind;
      case 'x' -> hexadecimal(2);
      case 'u' -> hexadecimal(4);
      case 'U' -> hexadecimal(8);
      default -> throw error(text, at - 2, "an unknown escape '\\" + kind + "'");
    };
  }

  private int hexadecimal(int digits) {
    long value = 0;
    for (int i = 0; i < digits; i++, at++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw error(digits + " hexadecimal digits should be here");
      }
      value = 16 * value + digit;
    }
    if (value > Character.MAX_CODE_POINT || value >= 0xD800 && value <= 0xDFFF) {
      throw error("an escape that is no character");
    }
    return (int) value;
  }
}
