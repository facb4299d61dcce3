package io.smallmind.tokenizer.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What can be asked of values, as Python would answer. */
final class Values {
  /** Deepest nesting of lists and maps. */
  static final int MAX_NESTING = 64;

  private Values() {}

  static boolean isTrue(Object value) {
    if (value instanceof Boolean bool) {
      return bool;
    }
    if (value instanceof Text text) {
      return !text.isEmpty();
    }
    if (value instanceof Long number) {
      return number != 0;
    }
    if (value instanceof Double number) {
      return number != 0;
    }
    if (value instanceof List<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return !(value instanceof Absent);
  }

  static String describe(Object value) {
    if (value instanceof Absent absent) {
      return absent.isNone() ? "none" : "'" + absent.name() + "', which is undefined,";
    }
    if (value instanceof Text) {
      return "a string";
    }
    if (value instanceof Boolean) {
      return "a truth value";
    }
    if (value instanceof Long || value instanceof Double) {
      return "a number";
    }
    if (value instanceof List<?>) {
      return "a list";
    }
    if (value instanceof Map<?, ?>) {
      return "a mapping";
    }
    return value instanceof Callable ? "a function" : "an object";
  }

  /** Returns a field, or a method, of a value. */
  static Object attribute(Object container, String name, Frame frame) {
    if (container instanceof LoopState loop) {
      return loop.attribute(name);
    }
    if (container instanceof Namespace namespace) {
      return namespace.values().getOrDefault(name, new Absent(name));
    }
    Callable method = Methods.find(container, name);
    if (container instanceof Map<?, ?> map) {
      Object value = map.get(name);
      return value != null ? value : method != null ? method : new Absent(name);
    }
    if (container instanceof Absent) {
      throw new Fault(describe(container) + " has no '" + name + "'");
    }
    return method != null ? method : new Absent(name);
  }

  /** Returns what stands at an index, or under a key. */
  static Object item(Object container, Object key, Frame frame) {
    if (key instanceof Text name && !(container instanceof List<?>)) {
      frame.charge(name.length());
      return attribute(container, name.value(), frame);
    }
    if (key instanceof Long index) {
      if (container instanceof List<?> list) {
        long at = index < 0 ? index + list.size() : index;
        return at < 0 || at >= list.size() ? new Absent("element " + index) : list.get((int) at);
      }
      if (container instanceof Text text) {
        frame.charge(text.length());
        int size = text.value().codePointCount(0, text.length());
        long at = index < 0 ? index + size : index;
        if (at < 0 || at >= size) {
          return new Absent("character " + index);
        }
        int begin = text.value().offsetByCodePoints(0, (int) at);
        return text.substring(begin, text.value().offsetByCodePoints(begin, 1));
      }
    }
    if (container instanceof Absent) {
      throw new Fault(describe(container) + " has no elements");
    }
    return new Absent("element");
  }

  /** Returns the elements of a list, the keys of a mapping, or the characters of a string. */
  static List<Object> iterate(Object value, Frame frame) {
    List<Object> elements = new ArrayList<>();
    if (value instanceof List<?> list) {
      elements.addAll(list);
    } else if (value instanceof Map<?, ?> map) {
      for (Object key : map.keySet()) {
        elements.add(Text.foreign((String) key));
      }
    } else if (value instanceof Namespace namespace) {
      return iterate(namespace.values(), frame);
    } else if (value instanceof Text text) {
      frame.chargeElements(text.length());
      for (int at = 0; at < text.length(); ) {
        int end = at + Character.charCount(text.value().codePointAt(at));
        elements.add(text.substring(at, end));
        at = end;
      }
    } else if (!(value instanceof Absent absent) || absent.isNone()) {
      throw new Fault(describe(value) + " has no elements");
    }
    frame.chargeElements(elements.size());
    return elements;
  }

  static Object slice(Object sequence, Object begin, Object end, Object step, Frame frame) {
    if (sequence instanceof Text text) {
      frame.charge(text.length());
    }
    if (sequence instanceof Text text
        && step == Absent.NONE
        && text.value().length() == text.value().codePointCount(0, text.length())) {
      int from = bound(begin, 0, text.length());
      int to = bound(end, text.length(), text.length());
      frame.charge(Math.max(0, to - from));
      return text.substring(from, Math.max(from, to));
    }
    List<Object> all = iterate(sequence, frame);
    List<Object> chosen = new ArrayList<>();
    int size = all.size();
    long given = step == Absent.NONE ? 1 : step instanceof Long number ? number : 0;
    if (given == 0) {
      throw new Fault("the step of a slice is 0 or no integer");
    }
    long stride = Math.clamp(given, -size - 1L, size + 1L);
    if (stride > 0) {
      int to = bound(end, size, size);
      for (long at = bound(begin, 0, size); at < to; at += stride) {
        chosen.add(all.get((int) at));
      }
    } else {
      long from = begin == Absent.NONE ? size - 1 : Math.min(size - 1, bound(begin, 0, size));
      long to = end == Absent.NONE ? -1 : bound(end, 0, size);
      for (long at = from; at > to; at += stride) {
        chosen.add(all.get((int) at));
      }
    }
    if (!(sequence instanceof Text)) {
      return chosen;
    }
    TextBuilder out = new TextBuilder();
    for (Object character : chosen) {
      out.append((Text) character);
    }
    return out.build();
  }

  private static int bound(Object value, int absent, int size) {
    if (value instanceof Long index) {
      return (int) Math.clamp(index < 0 ? index + size : index, 0, size);
    }
    if (value == Absent.NONE) {
      return absent;
    }
    throw new Fault("a bound of a slice is " + describe(value) + ", not an integer");
  }

  static boolean equal(Object left, Object right, Frame frame) {
    return equal(left, right, frame, MAX_NESTING);
  }

  private static boolean equal(Object left, Object right, Frame frame, int levels) {
    if (levels == 0) {
      throw new Fault("lists nested deeper than " + MAX_NESTING);
    }
    if (isNumber(left) && isNumber(right)) {
      return left instanceof Double || right instanceof Double
          ? Arithmetic.real(left) == Arithmetic.real(right)
          : Arithmetic.integer(left) == Arithmetic.integer(right);
    }
    if (left instanceof List<?> list && right instanceof List<?> other) {
      frame.chargeElements(list.size());
      if (list.size() != other.size()) {
        return false;
      }
      for (int i = 0; i < list.size(); i++) {
        if (!equal(list.get(i), other.get(i), frame, levels - 1)) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> map && right instanceof Map<?, ?> other) {
      frame.chargeElements(map.size());
      if (map.size() != other.size()) {
        return false;
      }
      for (Map.Entry<?, ?> each : map.entrySet()) {
        Object value = other.get(each.getKey());
        if (value == null || !equal(each.getValue(), value, frame, levels - 1)) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Text text && right instanceof Text other) {
      frame.charge(Math.min(text.length(), other.length()));
      return text.equals(other);
    }
    return left == right;
  }

  private static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static boolean compare(String operator, Object left, Object right, Frame frame) {
    return switch (operator) {
      case "==" -> equal(left, right, frame);
      case "!=" -> !equal(left, right, frame);
      case "in" -> contains(right, left, frame);
      case "not in" -> !contains(right, left, frame);
      case "<" -> order(left, right, frame) < 0;
      case "<=" -> order(left, right, frame) <= 0;
      case ">" -> order(left, right, frame) > 0;
      default -> order(left, right, frame) >= 0;
    };
  }

  static int order(Object left, Object right, Frame frame) {
    if (isNumber(left) && isNumber(right)) {
      return Double.compare(Arithmetic.real(left), Arithmetic.real(right));
    }
    if (left instanceof Text text && right instanceof Text other) {
      frame.charge(Math.min(text.length(), other.length()));
      return text.value().compareTo(other.value());
    }
    throw new Fault(describe(left) + " can't be compared with " + describe(right));
  }

  static boolean contains(Object container, Object element, Frame frame) {
    if (container instanceof Text text) {
      if (element instanceof Text part) {
        frame.chargeSearch(text.length(), part.length());
        return text.value().contains(part.value());
      }
      throw new Fault("only a string can be in a string, not " + describe(element));
    }
    if (container instanceof Map<?, ?> map) {
      if (element instanceof Text key) {
        frame.charge(key.length());
        return map.containsKey(key.value());
      }
      return false;
    }
    for (Object each : iterate(container, frame)) {
      if (equal(each, element, frame)) {
        return true;
      }
    }
    return false;
  }
}
