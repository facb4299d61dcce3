package io.smallmind.tokenizer.template;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template in the part of Jinja that real ones use, with white space as transformers sets
 * Jinja up. It sees the values it is given and nothing else, and what it may take and make is
 * bounded. Immutable and thread-safe.
 */
public final class Template {
  /** Longest template, in UTF-16 units. */
  public static final int MAX_LENGTH = 1 << 18;

  private final Source source;
  private final Statement all;

  private Template(Source source, Statement all) {
    this.source = source;
    this.all = all;
  }

  /**
   * Reads a template.
   *
   * @throws BadModelFileException if it is none, or too long or deep; names line and column
   */
  public static Template parse(String text) {
    Source source = new Source(text.replace("\r\n", "\n").replace('\r', '\n'));
    if (text.length() > MAX_LENGTH) {
      throw source.error(0, "longer than " + MAX_LENGTH + " characters");
    }
    return new Template(source, StatementParser.parse(source));
  }

  /**
   * Fills the template in.
   *
   * @param values by name: Text, Boolean, numbers, lists and maps of them, or null for none
   * @param clock for templates that tell the model the date
   * @throws BadArgumentException if the template refuses the values
   * @throws BadModelFileException if the template fails or exceeds a bound
   */
  public Text render(Map<String, ?> values, Clock clock) {
    Frame frame = new Frame(clock);
    values.forEach((name, value) -> frame.set(name, convert(value)));
    TextBuilder out = new TextBuilder();
    try {
      frame.run(all, out);
    } catch (Fault fault) {
      String message = String.valueOf(fault.getMessage());
      if (fault.raised) {
        throw new BadArgumentException(
            "the chat template refuses these messages: "
                + message
                + " (template "
                + source.place(frame.at)
                + ")");
      }
      throw source.error(frame.at, message);
    }
    return out.build();
  }

  private static Object convert(@Nullable Object value) {
    if (value == null) {
      return Absent.NONE;
    }
    if (value instanceof String string) {
      return Text.foreign(string);
    }
    if (value instanceof Integer number) {
      return (long) number;
    }
    if (value instanceof List<?> list) {
      List<Object> converted = new ArrayList<>();
      list.forEach(each -> converted.add(convert(each)));
      return converted;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> converted = new LinkedHashMap<>();
      map.forEach((key, each) -> converted.put(String.valueOf(key), convert(each)));
      return converted;
    }
    if (value instanceof Text
        || value instanceof Boolean
        || value instanceof Long
        || value instanceof Double) {
      return value;
    }
    throw new BadArgumentException("a template can't use a value of " + value.getClass());
  }
}
