package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads JSON, strictly: objects as maps, arrays as lists, numbers as they are written. */
final class JsonReader {
  /** Longest text, in UTF-16 units. */
  private static final int MAX_LENGTH = 1 << 20;

  /** Deepest nesting. */
  private static final int MAX_NESTING = 64;

  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]{0,99})(\\.[0-9]{1,99})?([eE][-+]?[0-9]{1,9})?");

  /** A number as it is written. */
  record Number(String text) {}

  /** The value null. */
  static final Object NULL = new Object();

  private final String text;
  private int at;
  private int nesting;

  private JsonReader(String text) {
    this.text = text;
  }

  static Object read(String text) {
    JsonReader reader = new JsonReader(text);
    if (text.length() > MAX_LENGTH) {
      throw reader.error("longer than " + MAX_LENGTH + " characters");
    }
    Object value = reader.value();
    if (reader.at < text.length()) {
      throw reader.error("text behind the value");
    }
    return value;
  }

  private BadArgumentException error(String problem) {
    return new BadArgumentException("JSON schema, character " + (at + 1) + ": " + problem);
  }

  private void space() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private void expect(String wanted) {
    if (!text.startsWith(wanted, at)) {
      throw error("'" + wanted + "' should be here");
    }
    at += wanted.length();
  }

  private Object value() {
    if (++nesting > MAX_NESTING) {
      throw error("nested deeper than " + MAX_NESTING);
    }
    space();
    Object value =
        switch (peek()) {
          case '{' -> object();
          case '[' -> array();
          case '"' -> string();
          case 't' -> word("true", true);
          case 'f' -> word("false", false);
          case 'n' -> word("null", NULL);
          default -> number();
        };
    space();
    nesting--;
    return value;
  }

  private Object word(String word, Object value) {
    expect(word);
    return value;
  }

  private Object number() {
    Matcher matcher = NUMBER.matcher(text).region(at, text.length());
    if (!matcher.lookingAt()) {
      throw error("a value should be here");
    }
    at = matcher.end();
    return new Number(matcher.group());
  }

  private Object object() {
    Map<String, Object> object = new LinkedHashMap<>();
    at++;
    space();
    while (peek() != '}') {
      if (!object.isEmpty()) {
        expect(",");
        space();
      }
      String key = string();
      space();
      expect(":");
      if (object.put(key, value()) != null) {
        throw error("the key '" + key + "' is there twice");
      }
    }
    at++;
    return object;
  }

  private Object array() {
    List<Object> array = new ArrayList<>();
    at++;
    space();
    while (peek() != ']') {
      if (!array.isEmpty()) {
        expect(",");
      }
      array.add(value());
    }
    at++;
    return array;
  }

  private String string() {
    expect("\"");
    StringBuilder string = new StringBuilder();
    while (peek() != '"') {
      char character = peek();
      if (character < ' ') {
        throw error("a string without end, or with a control character");
      }
      at++;
      string.append(character == '\\' ? escape() : character);
    }
    at++;
    return string.toString();
  }

  private char escape() {
    char kind = peek();
    at++;
    return switch (kind) {
      case '"', '\\', '/' -> kind;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9A-Fa-f]{4}")) {
          throw error("four hexadecimal digits should be here");
        }
        at += 4;
        yield (char) Integer.parseInt(text, at - 4, at, 16);
      }
      default -> throw error("an unknown escape");
    };
  }
}
