package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What can stand behind {@code is}. */
final class Tests {
  /** Tells something about a value. */
  @FunctionalInterface
  interface Test {
    boolean apply(Frame frame, Object value, Arguments arguments);
  }

  private static final Map<String, Test> BY_NAME = new HashMap<>();

  static {
    put((f, v, a) -> !(v instanceof Absent absent) || absent.isNone(), "defined");
    put((f, v, a) -> v instanceof Absent absent && !absent.isNone(), "undefined");
    put((f, v, a) -> v == Absent.NONE, "none");
    put((f, v, a) -> v instanceof Text, "string");
    put((f, v, a) -> v instanceof Map<?, ?> || v instanceof Namespace, "mapping");
    put(
        (f, v, a) -> v instanceof List<?> || v instanceof Text || v instanceof Map<?, ?>,
        "sequence",
        "iterable");
    put((f, v, a) -> v instanceof Long || v instanceof Double || v instanceof Boolean, "number");
    put((f, v, a) -> v instanceof Long, "integer");
    put((f, v, a) -> v instanceof Double, "float");
    put((f, v, a) -> v instanceof Boolean, "boolean");
    put((f, v, a) -> v == Boolean.TRUE, "true");
    put((f, v, a) -> v == Boolean.FALSE, "false");
    put((f, v, a) -> v instanceof Callable, "callable");
    put((f, v, a) -> integer(v) % 2 != 0, "odd");
    put((f, v, a) -> integer(v) % 2 == 0, "even");
    put((f, v, a) -> isDivisible(integer(v), a), "divisibleby");
    put((f, v, a) -> Values.equal(v, a.get(0, "other"), f), "equalto", "eq", "==", "sameas");
    put((f, v, a) -> !Values.equal(v, a.get(0, "other"), f), "ne", "!=");
    put((f, v, a) -> Values.order(v, a.get(0, "other"), f) > 0, "gt", "greaterthan", ">");
    put((f, v, a) -> Values.order(v, a.get(0, "other"), f) >= 0, "ge", ">=");
    put((f, v, a) -> Values.order(v, a.get(0, "other"), f) < 0, "lt", "lessthan", "<");
    put((f, v, a) -> Values.order(v, a.get(0, "other"), f) <= 0, "le", "<=");
    put((f, v, a) -> Values.contains(a.get(0, "seq"), v, f), "in");
    put(
        (f, v, a) ->
            v instanceof Text text && isCased(text, text.value().toLowerCase(Locale.ROOT), f),
        "lower");
    put(
        (f, v, a) ->
            v instanceof Text text && isCased(text, text.value().toUpperCase(Locale.ROOT), f),
        "upper");
    put((f, v, a) -> v instanceof Text text && Filters.exists(text.value()), "filter");
    put((f, v, a) -> v instanceof Text text && find(text.value()) != null, "test");
  }

  private Tests() {}

  private static void put(Test test, String... names) {
    for (String name : Set.of(names)) {
      BY_NAME.put(name, test);
    }
  }

  static @Nullable Test find(String name) {
    return BY_NAME.get(name);
  }

  private static boolean isCased(Text text, String converted, Frame frame) {
    frame.charge(text.length());
    return text.value().equals(converted) && text.value().chars().anyMatch(Character::isLetter);
  }

  private static boolean isDivisible(long value, Arguments arguments) {
    long divisor = integer(arguments.get(0, "num"));
    if (divisor == 0) {
      throw new Fault("division by zero");
    }
    return value % divisor == 0;
  }

  private static long integer(Object value) {
    if (value instanceof Long number) {
      return number;
    }
    throw new Fault(Values.describe(value) + " where an integer should be");
  }
}
