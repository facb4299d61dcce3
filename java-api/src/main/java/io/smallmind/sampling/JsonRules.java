package io.smallmind.sampling;

import java.util.List;
import java.util.Map;

/** Rules of JSON's own grammar, and JSON values as literals of grammars. */
final class JsonRules {
  /** Formats of strings, with their rules. */
  static final Map<String, String> FORMATS =
      Map.of("date", "date-text", "time", "time-text", "date-time", "moment-text", "uuid", "uuid");

  /** White space is bounded: a model may not go on with it for ever. */
  static final String COMMON =
      """
      value ::= object | array | string | number | boolean | null
      object ::= "{" ws (pair (comma pair)*)? ws "}"
      pair ::= string colon value
      array ::= "[" ws (value (comma value)*)? ws "]"
      string ::= "\\"" char* "\\""
      plain ::= [^"\\\\\\x00-\\x1f]
      char ::= plain | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})
      integer ::= "-"? ("0" | [1-9] [0-9]{0,17})
      number ::= integer ("." [0-9]{1,17})? ([eE] [-+]? [0-9]{1,2})?
      boolean ::= "true" | "false"
      null ::= "null"
      ws ::= (" " | "\\n" [ \\t]{0,20})?
      comma ::= ws "," ws
      colon ::= ws ":" ws
      day ::= [0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])
      hour ::= ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,9})? zone
      zone ::= "Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]
      date-text ::= "\\"" day "\\""
      time-text ::= "\\"" hour "\\""
      moment-text ::= "\\"" day "T" hour "\\""
      hex ::= [0-9a-fA-F]
      uuid ::= "\\"" hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12} "\\""
      """;

  private JsonRules() {}

  /** Returns a literal of a grammar. */
  static String literal(String text) {
    StringBuilder literal = new StringBuilder("\"");
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      if (point == '"' || point == '\\') {
        literal.append('\\').appendCodePoint(point);
      } else if (point < ' ') {
        literal.append("\\x%02x".formatted(point));
      } else {
        literal.appendCodePoint(point);
      }
    }
    return literal.append('"').toString();
  }

  /** Returns a value as JSON on one line. */
  static String write(Object value) {
    if (value instanceof String text) {
      return quote(text);
    }
    if (value instanceof JsonReader.Number number) {
      return number.text();
    }
    if (value instanceof List<?> list) {
      return "[" + String.join(", ", list.stream().map(JsonRules::write).toList()) + "]";
    }
    if (value instanceof Map<?, ?> map) {
      List<String> pairs =
          map.entrySet().stream()
              .map(each -> quote((String) each.getKey()) + ": " + write(each.getValue()))
              .toList();
      return "{" + String.join(", ", pairs) + "}";
    }
    return value == JsonReader.NULL ? "null" : String.valueOf(value);
  }

  /** Returns what stands under a key, which must be there. */
  static Object present(Map<?, ?> map, String key) {
    Object value = map.get(key);
    return value == null ? JsonReader.NULL : value;
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (character == '"' || character == '\\') {
        quoted.append('\\').append(character);
      } else if (character < ' ' || Character.isSurrogate(character)) {
        quoted.append("\\u%04x".formatted((int) character));
      } else {
        quoted.append(character);
      }
    }
    return quoted.append('"').toString();
  }
}
