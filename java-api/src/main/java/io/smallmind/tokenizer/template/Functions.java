package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import java.time.DateTimeException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template has. */
final class Functions {
  /** Longest range, as in Jinja's sandbox. */
  private static final int MAX_RANGE = 100_000;

  /** Longest message of a template that refuses something. */
  private static final int MAX_MESSAGE = 1000;

  private static final Map<String, Callable> BY_NAME =
      Map.of(
          "raise_exception", Functions::raise,
          "strftime_now", Functions::now,
          "namespace", Functions::namespace,
          "dict", (frame, arguments) -> new LinkedHashMap<>(arguments.named()),
          "range", Functions::range);

  /** How the letters behind a percent sign are written by Java. */
  private static final Map<Character, String> DATE_FIELDS =
      Map.ofEntries(
          Map.entry('Y', "yyyy"),
          Map.entry('y', "yy"),
          Map.entry('m', "MM"),
          Map.entry('B', "MMMM"),
          Map.entry('b', "MMM"),
          Map.entry('d', "dd"),
          Map.entry('e', "d"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('f', "SSSSSS"),
          Map.entry('p', "a"),
          Map.entry('A', "EEEE"),
          Map.entry('a', "EEE"),
          Map.entry('j', "DDD"),
          Map.entry('Z', "zzz"),
          Map.entry('z', "xx"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('T', "HH:mm:ss"));

  private Functions() {}

  static @Nullable Callable find(String name) {
    return BY_NAME.get(name);
  }

  private static Object raise(Frame frame, Arguments arguments) {
    String message = Printing.text(arguments.get(0, "message"), frame).value();
    throw new Fault(message.substring(0, Math.min(MAX_MESSAGE, message.length())), true);
  }

  private static Object now(Frame frame, Arguments arguments) {
    ZonedDateTime time = ZonedDateTime.now(frame.clock);
    String format = arguments.text(0, "format").value();
    frame.charge(format.length());
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char character = format.charAt(i);
      if (character != '%' || i + 1 == format.length()) {
        out.append(character);
        continue;
      }
      boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += bare ? 2 : 1;
      String field = DATE_FIELDS.get(format.charAt(i));
      if (format.charAt(i) == '%') {
        out.append('%');
      } else if (field == null) {
        throw new Fault("unsupported date format '%" + format.charAt(i) + "'");
      } else {
        out.append(date(time, field, bare));
      }
      frame.charge(out.length());
    }
    return Text.trusted(out.toString());
  }

  private static String date(ZonedDateTime time, String field, boolean bare) {
    try {
      String text = time.format(DateTimeFormatter.ofPattern(field, Locale.ENGLISH));
      return bare && text.length() == 2 && text.startsWith("0") ? text.substring(1) : text;
    } catch (DateTimeException e) {
      throw new Fault("the date can't be written: " + e.getMessage());
    }
  }

  private static Object namespace(Frame frame, Arguments arguments) {
    Namespace namespace = new Namespace();
    for (Object value : arguments.values()) {
      if (value instanceof Map<?, ?> map) {
        frame.chargeElements(map.size());
        map.forEach((key, each) -> namespace.values().put((String) key, each));
      }
    }
    namespace.values().putAll(arguments.named());
    return namespace;
  }

  private static Object range(Frame frame, Arguments arguments) {
    long first = arguments.integer(0, "start", 0);
    boolean alone = arguments.values().size() == 1;
    long end = alone ? first : arguments.integer(1, "stop", 0);
    long begin = alone ? 0 : first;
    long step = arguments.integer(2, "step", 1);
    if (step == 0) {
      throw new Fault("the step of a range is 0");
    }
    List<Object> values = new ArrayList<>();
    for (long value = begin; step > 0 ? value < end : value > end; value += step) {
      if (values.size() == MAX_RANGE) {
        throw new Fault("a range longer than " + MAX_RANGE);
      }
      values.add(value);
    }
    frame.chargeElements(values.size());
    return values;
  }
}
