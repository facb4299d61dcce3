package io.smallmind.tokenizer.template;

import java.util.ArrayList;
import java.util.List;

/** Operators that make a value of two. */
final class Arithmetic {
  private Arithmetic() {}

  static Object combine(String operator, Object left, Object right, Frame frame) {
    if (operator.equals("~")) {
      return join(Printing.text(left, frame), Printing.text(right, frame), frame);
    }
    if (operator.equals("+") && left instanceof Text text && right instanceof Text other) {
      return join(text, other, frame);
    }
    if (operator.equals("+") && left instanceof List<?> list && right instanceof List<?> other) {
      frame.chargeElements((long) list.size() + other.size());
      List<Object> all = new ArrayList<>(list);
      all.addAll(other);
      return all;
    }
    if (operator.equals("*") && left instanceof Text text && right instanceof Long count) {
      return repeat(text, count, frame);
    }
    if (operator.equals("*") && left instanceof Long count && right instanceof Text text) {
      return repeat(text, count, frame);
    }
    if (operator.equals("%") && left instanceof Text text) {
      return Printing.format(
          text, right instanceof List<?> list ? new ArrayList<>(list) : List.of(right), frame);
    }
    if (isNumber(left) && isNumber(right)) {
      return left instanceof Double || right instanceof Double || operator.equals("/")
          ? reals(operator, real(left), real(right))
          : integers(operator, integer(left), integer(right));
    }
    throw new Fault(
        "'" + operator + "' between " + Values.describe(left) + " and " + Values.describe(right));
  }

  private static Text join(Text left, Text right, Frame frame) {
    frame.charge((long) left.length() + right.length());
    return left.plus(right);
  }

  private static Text repeat(Text text, long count, Frame frame) {
    long times = Math.max(0, count);
    frame.charge(Math.min(times, Frame.MAX_CHARACTERS + 1) * text.length());
    TextBuilder out = new TextBuilder();
    for (long i = 0; i < times && !text.isEmpty(); i++) {
      out.append(text);
    }
    return out.build();
  }

  private static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static double real(Object value) {
    return value instanceof Double number ? number : integer(value);
  }

  static long integer(Object value) {
    return value instanceof Boolean bool ? (bool ? 1 : 0) : (Long) value;
  }

  private static Object integers(String operator, long left, long right) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(left, right);
        case "-" -> Math.subtractExact(left, right);
        case "*" -> Math.multiplyExact(left, right);
        case "//" -> Math.floorDiv(left, right);
        case "%" -> Math.floorMod(left, right);
        default -> power(left, right);
      };
    } catch (ArithmeticException e) {
      throw new Fault(left + " " + operator + " " + right + " has no value of 64 bits");
    }
  }

  private static Object power(long base, long exponent) {
    if (exponent < 0) {
      return Math.pow(base, exponent);
    }
    long result = 1;
    for (long i = 0; i < Math.min(exponent, 64); i++) {
      result = Math.multiplyExact(result, base);
    }
    if (exponent > 64 && Math.abs(base) > 1) {
      throw new ArithmeticException("too large");
    }
    return base == -1 && exponent % 2 != 0 ? -1L : result;
  }

  private static Object reals(String operator, double left, double right) {
    if (right == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new Fault("division by zero");
    }
    return switch (operator) {
      case "+" -> left + right;
      case "-" -> left - right;
      case "*" -> left * right;
      case "/" -> left / right;
      case "//" -> Math.floor(left / right);
      case "%" -> left - right * Math.floor(left / right);
      default -> Math.pow(left, right);
    };
  }
}
