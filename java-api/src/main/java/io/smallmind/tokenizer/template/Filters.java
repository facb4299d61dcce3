package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can stand behind a bar. */
final class Filters {
  /** Makes a value of another. */
  @FunctionalInterface
  interface Filter {
    Object apply(Frame frame, Object value, Arguments arguments);
  }

  private static final Map<String, Filter> BY_NAME = new HashMap<>();

  static {
    put((f, v, a) -> Methods.strip(text(v, f), a, true, true, f), "trim");
    put((f, v, a) -> Printing.json(v, a.integer(0, "indent", -1), f), "tojson");
    put((f, v, a) -> length(v, f), "length", "count");
    put(Filters::join, "join");
    put(Filters::otherwise, "default", "d");
    put((f, v, a) -> method(v, "upper", f, a), "upper");
    put((f, v, a) -> method(v, "lower", f, a), "lower");
    put((f, v, a) -> method(v, "title", f, a), "title");
    put((f, v, a) -> method(v, "capitalize", f, a), "capitalize");
    put((f, v, a) -> method(v, "replace", f, a), "replace");
    put((f, v, a) -> text(v, f), "string", "safe");
    put((f, v, a) -> first(Values.iterate(v, f)), "first");
    put((f, v, a) -> first(Values.iterate(v, f).reversed()), "last");
    put((f, v, a) -> Values.iterate(v, f), "list");
    put(Filters::reverse, "reverse");
    put(Filters::items, "items", "dictsort");
    put(Filters::map, "map");
    put((f, v, a) -> select(f, v, a, true, false), "select");
    put((f, v, a) -> select(f, v, a, false, false), "reject");
    put((f, v, a) -> select(f, v, a, true, true), "selectattr");
    put((f, v, a) -> select(f, v, a, false, true), "rejectattr");
    put(Filters::integer, "int");
    put(Filters::real, "float");
    put(Filters::absolute, "abs");
    put(Filters::indent, "indent");
    put(Filters::escape, "escape", "e");
    put(Filters::sort, "sort");
    put(Filters::unique, "unique");
    put((f, v, a) -> first(sorted(f, v, a)), "min");
    put((f, v, a) -> first(sorted(f, v, a).reversed()), "max");
    put(Filters::sum, "sum");
    put((f, v, a) -> Printing.format(text(v, f), a.values(), f), "format");
    put((f, v, a) -> path(v, a.text(0, "name"), false, f), "attr");
  }

  private Filters() {}

  private static void put(Filter filter, String... names) {
    for (String name : names) {
      BY_NAME.put(name, filter);
    }
  }

  static @Nullable Filter find(String name) {
    return BY_NAME.get(name);
  }

  static boolean exists(String name) {
    return BY_NAME.containsKey(name);
  }

  private static Text text(Object value, Frame frame) {
    return Printing.text(value, frame);
  }

  private static Object method(Object value, String name, Frame frame, Arguments arguments) {
    Callable method = Methods.find(text(value, frame), name);
    if (method == null) {
      throw new Fault("unknown filter '" + name + "'");
    }
    return method.call(frame, arguments);
  }

  private static Object length(Object value, Frame frame) {
    if (value instanceof Text text) {
      frame.charge(text.length());
      return (long) text.value().codePointCount(0, text.length());
    }
    if (value instanceof List<?> list) {
      return (long) list.size();
    }
    if (value instanceof Map<?, ?> map) {
      return (long) map.size();
    }
    if (value instanceof Absent absent && !absent.isNone()) {
      return 0L;
    }
    throw new Fault(Values.describe(value) + " has no length");
  }

  private static Object join(Frame frame, Object value, Arguments arguments) {
    Text separator = text(arguments.get(0, "d", Text.EMPTY), frame);
    String field = arguments.has(1, "attribute") ? arguments.text(1, "attribute").value() : null;
    return Printing.join(Values.iterate(value, frame), separator, field, frame);
  }

  private static Object otherwise(Frame frame, Object value, Arguments arguments) {
    boolean falseToo = Values.isTrue(arguments.get(1, "boolean", false));
    boolean undefined = value instanceof Absent absent && !absent.isNone();
    return undefined || falseToo && !Values.isTrue(value)
        ? arguments.get(0, "default_value", Text.EMPTY)
        : value;
  }

  private static Object first(List<Object> list) {
    return list.isEmpty() ? new Absent("the first of no elements") : list.getFirst();
  }

  private static Object reverse(Frame frame, Object value, Arguments arguments) {
    return Values.slice(value, Absent.NONE, Absent.NONE, -1L, frame);
  }

  private static Object items(Frame frame, Object value, Arguments arguments) {
    if (value instanceof Map<?, ?> map) {
      return Methods.items(map, frame);
    }
    if (value instanceof Absent absent && !absent.isNone()) {
      return List.of();
    }
    throw new Fault(Values.describe(value) + " has no items");
  }

  private static Arguments behind(Arguments arguments, int count) {
    List<Object> values = arguments.values();
    return new Arguments(values.subList(Math.min(count, values.size()), values.size()), Map.of());
  }

  private static Object map(Frame frame, Object value, Arguments arguments) {
    List<Object> mapped = new ArrayList<>();
    if (arguments.named().get("attribute") instanceof Text field) {
      Object absent = arguments.named().get("default");
      for (Object each : Values.iterate(value, frame)) {
        Object found = path(each, field, true, frame);
        mapped.add(absent != null && found instanceof Absent ? absent : found);
      }
      return mapped;
    }
    Text name = arguments.text(0, "filter");
    Filter filter = find(name.value());
    if (filter == null) {
      throw new Fault("unknown filter '" + name.value() + "'");
    }
    for (Object each : Values.iterate(value, frame)) {
      mapped.add(filter.apply(frame, each, behind(arguments, 1)));
    }
    return mapped;
  }

  /** Returns a field; with dots, a field of a field. */
  private static Object path(Object value, Text path, boolean dots, Frame frame) {
    frame.charge(path.length());
    if (!dots) {
      return Values.attribute(value, path.value(), frame);
    }
    Object found = value;
    for (String name : path.value().split("\\.", -1)) {
      found = Values.attribute(found, name, frame);
    }
    return found;
  }

  private static Object select(
      Frame frame, Object value, Arguments arguments, boolean wanted, boolean byField) {
    int used = byField ? 1 : 0;
    Text field = byField ? arguments.text(0, "attribute") : Text.EMPTY;
    Tests.Test test = (f, v, a) -> Values.isTrue(v);
    if (arguments.values().size() > used) {
      Text name = arguments.text(used, "test");
      Tests.Test found = Tests.find(name.value());
      if (found == null) {
        throw new Fault("unknown test '" + name.value() + "'");
      }
      test = found;
    }
    Arguments rest = behind(arguments, used + 1);
    List<Object> chosen = new ArrayList<>();
    for (Object each : Values.iterate(value, frame)) {
      Object tested = byField ? path(each, field, true, frame) : each;
      if (test.apply(frame, tested, rest) == wanted) {
        chosen.add(each);
      }
    }
    return chosen;
  }

  private static Object integer(Frame frame, Object value, Arguments arguments) {
    Object number = real(frame, value, new Arguments(List.of(Absent.NONE), Map.of()));
    if (value instanceof Long) {
      return value;
    }
    return number instanceof Double real && Double.isFinite(real)
        ? (Object) (long) (double) real
        : arguments.get(0, "default", 0L);
  }

  private static Object real(Frame frame, Object value, Arguments arguments) {
    if (value instanceof Long || value instanceof Double || value instanceof Boolean) {
      return Arithmetic.real(value);
    }
    if (value instanceof Text text
        && text.length() < 400
        && text.value().strip().matches("[-+]?[0-9]+(\\.[0-9]*)?([eE][-+]?[0-9]+)?")) {
      return Double.valueOf(text.value().strip());
    }
    return arguments.get(0, "default", 0.0);
  }

  private static Object absolute(Frame frame, Object value, Arguments arguments) {
    if (value instanceof Long number) {
      return Math.abs(number);
    }
    if (value instanceof Double number) {
      return Math.abs(number);
    }
    throw new Fault(Values.describe(value) + " is no number");
  }

  private static Object indent(Frame frame, Object value, Arguments arguments) {
    Object width = arguments.get(0, "width", 4L);
    Text blanks =
        width instanceof Text given
            ? given
            : Text.trusted(" ".repeat(Math.clamp(arguments.integer(0, "width", 4), 0, 1000)));
    boolean atFirst = Values.isTrue(arguments.get(1, "first", false));
    boolean atBlank = Values.isTrue(arguments.get(2, "blank", false));
    Text text = text(value, frame);
    TextBuilder out = new TextBuilder();
    String lines = text.value();
    for (int at = 0; at <= lines.length(); ) {
      int feed = lines.indexOf('\n', at);
      int end = feed < 0 ? lines.length() : feed;
      if (at == 0 ? atFirst : atBlank || end > at) {
        frame.charge(blanks.length());
        out.append(blanks);
      }
      frame.charge(end - at + 1L);
      text.appendTo(out, at, feed < 0 ? end : end + 1);
      at = end + 1;
    }
    return out.build();
  }

  private static Object escape(Frame frame, Object value, Arguments arguments) {
    Text text = text(value, frame);
    String escaped =
        text.value()
            .replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("'", "&#39;")
            .replace("\"", "&#34;");
    frame.charge(escaped.length());
    return text.derive(escaped);
  }

  private static List<Object> sorted(Frame frame, Object value, Arguments arguments) {
    List<Object> list = Values.iterate(value, frame);
    Object field = arguments.named().getOrDefault("attribute", Absent.NONE);
    boolean cased = Values.isTrue(arguments.get(1, "case_sensitive", false));
    list.sort(
        (left, right) ->
            Values.order(key(left, field, cased, frame), key(right, field, cased, frame), frame));
    return list;
  }

  private static Object key(Object value, Object field, boolean cased, Frame frame) {
    frame.charge(1);
    Object key = field instanceof Text name ? path(value, name, true, frame) : value;
    if (cased || !(key instanceof Text text)) {
      return key;
    }
    frame.charge(text.length());
    return text.derive(text.value().toLowerCase(Locale.ROOT));
  }

  private static Object sort(Frame frame, Object value, Arguments arguments) {
    List<Object> list =
        sorted(
            frame,
            value,
            arguments.values().isEmpty() ? arguments : new Arguments(List.of(), arguments.named()));
    return Values.isTrue(arguments.get(0, "reverse", false)) ? list.reversed() : list;
  }

  private static Object unique(Frame frame, Object value, Arguments arguments) {
    Map<Object, Object> seen = new LinkedHashMap<>();
    for (Object each : Values.iterate(value, frame)) {
      Object key = each instanceof Long ? each : text(each, frame);
      frame.charge(key instanceof Text text ? text.length() : 1);
      seen.putIfAbsent(key, each);
    }
    return new ArrayList<>(seen.values());
  }

  private static Object sum(Frame frame, Object value, Arguments arguments) {
    Object sum = arguments.get(1, "start", 0L);
    Object field = arguments.get(0, "attribute", Absent.NONE);
    for (Object each : Values.iterate(value, frame)) {
      Object term = field instanceof Text name ? path(each, name, true, frame) : each;
      sum = Arithmetic.combine("+", sum, term, frame);
    }
    return sum;
  }
}
