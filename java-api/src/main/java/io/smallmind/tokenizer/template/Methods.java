package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The methods of strings, mappings and lists that change nothing. */
final class Methods {
  private Methods() {}

  /** Returns a method of a value, or null if it has no such method. */
  static @Nullable Callable find(Object value, String name) {
    if (value instanceof Text text) {
      return ofText(text, name);
    }
    if (value instanceof Map<?, ?> map) {
      return switch (name) {
        case "items" -> (frame, arguments) -> items(map, frame);
        case "keys" -> (frame, arguments) -> Values.iterate(map, frame);
        case "values" ->
            (frame, arguments) -> {
              frame.chargeElements(map.size());
              return new ArrayList<Object>(map.values());
            };
        case "get" ->
            (frame, arguments) -> {
              Text key = arguments.text(0, "key");
              frame.charge(key.length());
              Object found = map.get(key.value());
              return found != null ? found : arguments.get(1, "default", Absent.NONE);
            };
        default -> null;
      };
    }
    if (value instanceof List<?> list) {
      return switch (name) {
        case "index" -> (frame, arguments) -> index(list, arguments.get(0, "value"), frame);
        case "count" -> (frame, arguments) -> count(list, arguments.get(0, "value"), frame);
        default -> null;
      };
    }
    return null;
  }

  static List<Object> items(Map<?, ?> map, Frame frame) {
    frame.chargeElements(3L * map.size());
    List<Object> items = new ArrayList<>();
    for (Map.Entry<?, ?> each : map.entrySet()) {
      items.add(List.of(Text.foreign((String) each.getKey()), each.getValue()));
    }
    return items;
  }

  private static Object index(List<?> list, Object value, Frame frame) {
    frame.chargeElements(list.size());
    for (int i = 0; i < list.size(); i++) {
      if (Values.equal(list.get(i), value, frame)) {
        return (long) i;
      }
    }
    throw new Fault("the value is not in the list");
  }

  private static Object count(List<?> list, Object value, Frame frame) {
    frame.chargeElements(list.size());
    return list.stream().filter(each -> Values.equal(each, value, frame)).count();
  }

  private static @Nullable Callable ofText(Text text, String name) {
    String value = text.value();
    return switch (name) {
      case "strip" -> (f, a) -> strip(text, a, true, true, f);
      case "lstrip" -> (f, a) -> strip(text, a, true, false, f);
      case "rstrip" -> (f, a) -> strip(text, a, false, true, f);
      case "upper" -> (f, a) -> derive(text, value.toUpperCase(Locale.ROOT), f);
      case "lower" -> (f, a) -> derive(text, value.toLowerCase(Locale.ROOT), f);
      case "title" -> (f, a) -> derive(text, title(value), f);
      case "capitalize" -> (f, a) -> derive(text, capitalize(value), f);
      case "startswith" -> (f, a) -> any(a, each -> value.startsWith(each), f);
      case "endswith" -> (f, a) -> any(a, each -> value.endsWith(each), f);
      case "removeprefix" ->
          (f, a) -> {
            String prefix = a.text(0, "prefix").value();
            f.charge(value.length());
            return value.startsWith(prefix)
                ? text.substring(prefix.length(), value.length())
                : text;
          };
      case "removesuffix" ->
          (f, a) -> {
            String suffix = a.text(0, "suffix").value();
            f.charge(value.length());
            return value.endsWith(suffix)
                ? text.substring(0, value.length() - suffix.length())
                : text;
          };
      case "find" -> (f, a) -> (long) value.indexOf(sought(text, a, f));
      case "rfind" -> (f, a) -> (long) value.lastIndexOf(sought(text, a, f));
      case "count" -> (f, a) -> split(text, a.text(0, "sub"), Integer.MAX_VALUE, f).size() - 1L;
      case "split" -> (f, a) -> split(text, a, f);
      case "rsplit" -> (f, a) -> splitFromEnd(text, a, f);
      case "splitlines" -> (f, a) -> lines(text, f);
      case "replace" ->
          (f, a) -> replace(text, a.text(0, "old"), a.text(1, "new"), a.integer(2, "count", -1), f);
      case "join" ->
          (f, a) -> Printing.join(Values.iterate(a.get(0, "iterable"), f), text, null, f);
      case "isdigit", "isnumeric", "isdecimal" -> (f, a) -> all(text, Character::isDigit, f);
      case "isalpha" -> (f, a) -> all(text, Character::isLetter, f);
      case "isalnum" -> (f, a) -> all(text, Character::isLetterOrDigit, f);
      case "isspace" -> (f, a) -> all(text, Methods::isSpace, f);
      case "isupper" ->
          (f, a) -> Values.equal(text, text.derive(value.toUpperCase(Locale.ROOT)), f);
      case "islower" ->
          (f, a) -> Values.equal(text, text.derive(value.toLowerCase(Locale.ROOT)), f);
      default -> null;
    };
  }

  private static String sought(Text text, Arguments arguments, Frame frame) {
    Text part = arguments.text(0, "sub");
    frame.chargeSearch(text.length(), part.length());
    return part.value();
  }

  private static boolean all(Text text, IntPredicate test, Frame frame) {
    frame.charge(text.length());
    return !text.isEmpty() && text.value().codePoints().allMatch(test);
  }

  private static Text derive(Text text, String derived, Frame frame) {
    frame.charge(derived.length());
    return text.derive(derived);
  }

  static boolean isSpace(int point) {
    return Character.isWhitespace(point) || Character.isSpaceChar(point) || point == 0x85;
  }

  static Text strip(Text text, Arguments arguments, boolean left, boolean right, Frame frame) {
    Object chars = arguments.get(0, "chars", Absent.NONE);
    String set = chars instanceof Text given ? given.value() : "";
    boolean spaces = chars == Absent.NONE;
    String value = text.value();
    frame.chargeSearch(value.length(), set.length());
    int begin = 0;
    int end = value.length();
    while (left && begin < end && drops(value.charAt(begin), set, spaces)) {
      begin++;
    }
    while (right && end > begin && drops(value.charAt(end - 1), set, spaces)) {
      end--;
    }
    return text.substring(begin, end);
  }

  private static boolean drops(char character, String set, boolean spaces) {
    return spaces ? isSpace(character) : set.indexOf(character) >= 0;
  }

  static String capitalize(String value) {
    return value.isEmpty()
        ? value
        : value.substring(0, 1).toUpperCase(Locale.ROOT)
            + value.substring(1).toLowerCase(Locale.ROOT);
  }

  static String title(String value) {
    StringBuilder out = new StringBuilder(value.length());
    boolean inWord = false;
    for (int i = 0; i < value.length(); i++) {
      char character = value.charAt(i);
      out.append(inWord ? Character.toLowerCase(character) : Character.toTitleCase(character));
      inWord = Character.isLetter(character);
    }
    return out.toString();
  }

  private static Object any(Arguments arguments, Predicate<String> test, Frame frame) {
    Object given = arguments.get(0, "prefix");
    List<Object> candidates =
        given instanceof List<?> ? Values.iterate(given, frame) : List.of(given);
    for (Object candidate : candidates) {
      if (!(candidate instanceof Text text)) {
        throw new Fault(Values.describe(candidate) + " where a string should be");
      }
      frame.charge(text.length());
      if (test.test(text.value())) {
        return true;
      }
    }
    return false;
  }

  private static Object split(Text text, Arguments arguments, Frame frame) {
    int most = arguments.integer(1, "maxsplit", -1);
    int limit = most < 0 ? Integer.MAX_VALUE : most;
    if (arguments.get(0, "sep", Absent.NONE) instanceof Text separator) {
      return split(text, separator, limit, frame);
    }
    List<Object> words = new ArrayList<>();
    String value = text.value();
    frame.charge(2L * value.length());
    int at = 0;
    while (at < value.length()) {
      if (isSpace(value.charAt(at))) {
        at++;
        continue;
      }
      int begin = at;
      boolean last = words.size() == limit;
      while (at < value.length() && (last || !isSpace(value.charAt(at)))) {
        at++;
      }
      words.add(text.substring(begin, at));
      frame.chargeElements(1);
    }
    return words;
  }

  private static List<Object> split(Text text, Text separator, int limit, Frame frame) {
    if (separator.isEmpty()) {
      throw new Fault("an empty separator");
    }
    List<Object> parts = new ArrayList<>();
    String value = text.value();
    frame.chargeSearch(2L * value.length(), separator.length());
    int from = 0;
    for (int at = value.indexOf(separator.value());
        at >= 0 && parts.size() < limit;
        at = value.indexOf(separator.value(), from)) {
      parts.add(text.substring(from, at));
      frame.chargeElements(1);
      from = at + separator.length();
    }
    parts.add(text.substring(from, value.length()));
    return parts;
  }

  private static Object splitFromEnd(Text text, Arguments arguments, Frame frame) {
    int most = arguments.integer(1, "maxsplit", -1);
    Text separator = arguments.text(0, "sep");
    List<Object> parts = split(text, separator, Integer.MAX_VALUE, frame);
    if (most < 0 || parts.size() <= most + 1) {
      return parts;
    }
    int kept = parts.size() - most;
    List<Object> result = new ArrayList<>();
    result.add(Printing.join(parts.subList(0, kept), separator, null, frame));
    result.addAll(parts.subList(kept, parts.size()));
    return result;
  }

  private static Object lines(Text text, Frame frame) {
    List<Object> lines = split(text, Text.trusted("\n"), Integer.MAX_VALUE, frame);
    if (lines.getLast() instanceof Text last && last.isEmpty()) {
      lines.removeLast();
    }
    return lines;
  }

  static Text replace(Text text, Text old, Text replacement, int count, Frame frame) {
    if (old.isEmpty()) {
      throw new Fault("an empty string to replace");
    }
    TextBuilder out = new TextBuilder();
    String value = text.value();
    int from = 0;
    int done = 0;
    frame.chargeSearch(value.length(), old.length());
    for (int at = value.indexOf(old.value());
        at >= 0 && (count < 0 || done < count);
        at = value.indexOf(old.value(), from)) {
      text.appendTo(out, from, at);
      out.append(replacement);
      frame.charge(8L + replacement.length());
      from = at + old.length();
      done++;
    }
    text.appendTo(out, from, value.length());
    return out.build();
  }
}
