package io.smallmind.tokenizer.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns values into text: as output, as Python writes them, and as JSON. */
final class Printing {
  private Printing() {}

  /** Returns a value as output shows it. */
  static Text text(Object value, Frame frame) {
    if (value instanceof Text text) {
      return text;
    }
    if (value instanceof Absent absent) {
      return Text.trusted(absent.isNone() ? "None" : "");
    }
    TextBuilder out = new TextBuilder();
    python(value, out, frame, Values.MAX_NESTING);
    return out.build();
  }

  private static void say(TextBuilder out, String text, Frame frame) {
    frame.charge(text.length());
    out.append(text, 0, text.length(), true);
  }

  private static void python(Object value, TextBuilder out, Frame frame, int levels) {
    checkDepth(levels);
    if (value instanceof Text text) {
      String plain = text.value();
      char quote = plain.contains("'") && !plain.contains("\"") ? '"' : '\'';
      StringBuilder quoted = new StringBuilder().append(quote);
      for (int i = 0; i < plain.length(); i++) {
        char character = plain.charAt(i);
        switch (character) {
          case '\n' -> quoted.append("\\n");
          case '\t' -> quoted.append("\\t");
          case '\r' -> quoted.append("\\r");
          case '\\' -> quoted.append("\\\\");
          default -> quoted.append(character == quote ? "\\" : "").append(character);
        }
      }
      Text written = text.derive(quoted.append(quote).toString());
      frame.charge(written.length());
      out.append(written);
    } else if (value instanceof List<?> list) {
      String comma = "";
      say(out, "[", frame);
      for (Object each : list) {
        say(out, comma, frame);
        python(each, out, frame, levels - 1);
        comma = ", ";
      }
      say(out, "]", frame);
    } else if (value instanceof Map<?, ?> map) {
      String comma = "";
      say(out, "{", frame);
      for (Map.Entry<?, ?> each : map.entrySet()) {
        say(out, comma, frame);
        python(Text.foreign((String) each.getKey()), out, frame, levels - 1);
        say(out, ": ", frame);
        python(each.getValue(), out, frame, levels - 1);
        comma = ", ";
      }
      say(out, "}", frame);
    } else {
      say(out, scalar(value, "True", "False", "None"), frame);
    }
  }

  private static String scalar(Object value, String yes, String no, String none) {
    if (value instanceof Boolean bool) {
      return bool ? yes : no;
    }
    if (value instanceof Double number) {
      return number == Math.rint(number) && Math.abs(number) < 1e16
          ? (long) (double) number + ".0"
          : number.toString();
    }
    if (value instanceof Long number) {
      return number.toString();
    }
    if (value instanceof Absent) {
      return none;
    }
    throw new Fault(Values.describe(value) + " can't be written");
  }

  private static void checkDepth(int levels) {
    if (levels == 0) {
      throw new Fault("lists nested deeper than " + Values.MAX_NESTING);
    }
  }

  /**
   * Returns a value as JSON, with the separators that Python puts.
   *
   * @param indent blanks per level, or negative for one line
   */
  static Text json(Object value, int indent, Frame frame) {
    TextBuilder out = new TextBuilder();
    json(value, Math.min(indent, 16), 0, out, frame);
    return out.build();
  }

  private static void json(Object value, int indent, int level, TextBuilder out, Frame frame) {
    checkDepth(Values.MAX_NESTING - level);
    if (value instanceof Text text) {
      Text quoted = text.derive(quote(text.value()));
      frame.charge(quoted.length());
      out.append(quoted);
    } else if (value instanceof List<?> list) {
      say(out, "[", frame);
      boolean first = true;
      for (Object each : list) {
        separate(first, indent, level + 1, out, frame);
        json(each, indent, level + 1, out, frame);
        first = false;
      }
      close(first, indent, level, "]", out, frame);
    } else if (value instanceof Map<?, ?> map) {
      say(out, "{", frame);
      boolean first = true;
      for (Map.Entry<?, ?> each : map.entrySet()) {
        separate(first, indent, level + 1, out, frame);
        json(Text.foreign((String) each.getKey()), indent, level + 1, out, frame);
        say(out, ": ", frame);
        json(each.getValue(), indent, level + 1, out, frame);
        first = false;
      }
      close(first, indent, level, "}", out, frame);
    } else if (value instanceof Absent absent && !absent.isNone()) {
      throw new Fault(Values.describe(value) + " can't be written as JSON");
    } else {
      say(out, scalar(value, "true", "false", "null"), frame);
    }
  }

  private static void separate(boolean first, int indent, int level, TextBuilder out, Frame frame) {
    if (indent < 0) {
      say(out, first ? "" : ", ", frame);
    } else {
      say(out, (first ? "\n" : ",\n") + " ".repeat(indent * level), frame);
    }
  }

  private static void close(
      boolean empty, int indent, int level, String bracket, TextBuilder out, Frame frame) {
    say(out, indent < 0 || empty ? bracket : "\n" + " ".repeat(indent * level) + bracket, frame);
  }

  private static String quote(String plain) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < plain.length(); i++) {
      char character = plain.charAt(i);
      switch (character) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        case '\b' -> quoted.append("\\b");
        case '\f' -> quoted.append("\\f");
        default ->
            quoted.append(
                character < ' ' ? "\\u%04x".formatted((int) character) : String.valueOf(character));
      }
    }
    return quoted.append('"').toString();
  }

  /** Fills {@code %s} and {@code %d} in a string. */
  static Text format(Text pattern, List<Object> values, Frame frame) {
    TextBuilder out = new TextBuilder();
    String text = pattern.value();
    int used = 0;
    int from = 0;
    for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
      pattern.appendTo(out, from, at);
      char kind = at + 1 < text.length() ? text.charAt(at + 1) : ' ';
      if (kind == '%') {
        pattern.appendTo(out, at, at + 1);
      } else if ((kind == 's' || kind == 'd' || kind == 'i') && used < values.size()) {
        out.append(text(values.get(used++), frame));
      } else {
        throw new Fault("unsupported format '%" + kind + "', or a value too few");
      }
      frame.charge(out.length());
      from = at + 2;
    }
    pattern.appendTo(out, Math.min(from, text.length()), text.length());
    return out.build();
  }

  /** Returns a list's texts with another between them. */
  static Text join(List<Object> elements, Text separator, @Nullable String field, Frame frame) {
    TextBuilder out = new TextBuilder();
    boolean first = true;
    for (Object element : elements) {
      if (!first) {
        out.append(separator);
      }
      Object value = field == null ? element : Values.attribute(element, field, frame);
      Text text = text(value, frame);
      frame.charge((long) text.length() + separator.length());
      out.append(text);
      first = false;
    }
    return out.build();
  }
}
