package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import io.smallmind.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Turns the tokens of expressions into what computes them. Not thread-safe. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  /** Words that can't begin the argument of a test. */
  private static final Set<String> BEHIND_TEST =
      Set.of("else", "or", "and", "is", "if", "not", "in", "recursive");

  private record Operand(String operator, int at, Expression value) {}

  private record ArgumentList(List<Expression> values, Map<String, Expression> named) {
    Arguments eval(Frame frame) {
      List<Object> positional = new ArrayList<>(values.size());
      for (Expression value : values) {
        positional.add(frame.eval(value));
      }
      Map<String, Object> byName = new LinkedHashMap<>();
      for (Map.Entry<String, Expression> each : named.entrySet()) {
        byName.put(each.getKey(), frame.eval(each.getValue()));
      }
      return new Arguments(positional, byName);
    }
  }

  private static final ArgumentList NO_ARGUMENTS = new ArgumentList(List.of(), Map.of());

  private final Cursor cursor;

  ExpressionParser(Cursor cursor) {
    this.cursor = cursor;
  }

  /** Takes an expression; with several values and commas between them, a tuple. */
  Expression tuple() {
    Expression first = expression();
    if (!cursor.isOperator(",")) {
      return first;
    }
    List<Expression> elements = new ArrayList<>(List.of(first));
    while (cursor.skipOperator(",")) {
      Token next = cursor.peek();
      if (next.kind() == Kind.BLOCK_END || next.kind() == Kind.OUTPUT_END) {
        break;
      }
      elements.add(expression());
    }
    return list(elements);
  }

  /** Takes an expression, with {@code a if b else c}. */
  Expression expression() {
    cursor.nest();
    Expression value = withoutCondition();
    while (cursor.skipName("if")) {
      Expression yes = value;
      Expression condition = withoutCondition();
      Expression no =
          cursor.skipName("else") ? expression() : frame -> new Absent("the missing else");
      value = frame -> Values.isTrue(frame.eval(condition)) ? frame.eval(yes) : frame.eval(no);
    }
    cursor.unnest();
    return value;
  }

  /** Takes an expression without a condition behind it, which a loop may have. */
  Expression withoutCondition() {
    List<Expression> parts = new ArrayList<>();
    do {
      parts.add(and());
    } while (cursor.skipName("or"));
    return parts.size() == 1 ? parts.getFirst() : frame -> firstThatIs(true, parts, frame);
  }

  private Expression and() {
    List<Expression> parts = new ArrayList<>();
    do {
      parts.add(not());
    } while (cursor.skipName("and"));
    return parts.size() == 1 ? parts.getFirst() : frame -> firstThatIs(false, parts, frame);
  }

  private static Object firstThatIs(boolean truth, List<Expression> parts, Frame frame) {
    Object value = Boolean.FALSE;
    for (Expression part : parts) {
      value = frame.eval(part);
      if (Values.isTrue(value) == truth) {
        return value;
      }
    }
    return value;
  }

  private Expression not() {
    if (!cursor.skipName("not")) {
      return comparison();
    }
    cursor.nest();
    Expression value = not();
    cursor.unnest();
    return frame -> !Values.isTrue(frame.eval(value));
  }

  private Expression comparison() {
    Expression first = sum();
    List<Operand> rest = new ArrayList<>();
    while (true) {
      Token token = cursor.peek();
      String operator;
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operator = cursor.next().text();
      } else if (cursor.skipName("in")) {
        operator = "in";
      } else if (cursor.isName("not") && cursor.peekBehind().is(Kind.NAME, "in")) {
        cursor.next();
        cursor.next();
        operator = "not in";
      } else {
        break;
      }
      rest.add(new Operand(operator, token.at(), sum()));
    }
    if (rest.isEmpty()) {
      return first;
    }
    return frame -> {
      Object left = frame.eval(first);
      for (Operand operand : rest) {
        Object right = frame.eval(operand.value());
        frame.at = operand.at();
        if (!Values.compare(operand.operator(), left, right, frame)) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  private Expression sum() {
    return chain(this::concatenation, List.of("+", "-"));
  }

  private Expression concatenation() {
    return chain(this::product, List.of("~"));
  }

  private Expression product() {
    return chain(this::unary, List.of("*", "/", "//", "%"));
  }

  private Expression chain(Supplier<Expression> operand, List<String> operators) {
    Expression first = operand.get();
    List<Operand> rest = new ArrayList<>();
    while (cursor.peek().kind() == Kind.OPERATOR && operators.contains(cursor.peek().text())) {
      Token operator = cursor.next();
      rest.add(new Operand(operator.text(), operator.at(), operand.get()));
    }
    if (rest.isEmpty()) {
      return first;
    }
    return frame -> {
      Object value = frame.eval(first);
      for (Operand each : rest) {
        Object right = frame.eval(each.value());
        frame.at = each.at();
        value = Arithmetic.combine(each.operator(), value, right, frame);
      }
      return value;
    };
  }

  private Expression unary() {
    return filtered(signed());
  }

  private Expression signed() {
    Token token = cursor.peek();
    if (!cursor.skipOperator("-") && !cursor.skipOperator("+")) {
      return power();
    }
    cursor.nest();
    Expression value = signed();
    cursor.unnest();
    return frame -> {
      Object number = frame.eval(value);
      frame.at = token.at();
      return Arithmetic.combine(token.text(), 0L, number, frame);
    };
  }

  private Expression power() {
    Expression base = postfix(primary());
    Token token = cursor.peek();
    if (!cursor.skipOperator("**")) {
      return base;
    }
    cursor.nest();
    Expression exponent = signed();
    cursor.unnest();
    return frame -> {
      Object left = frame.eval(base);
      Object right = frame.eval(exponent);
      frame.at = token.at();
      return Arithmetic.combine("**", left, right, frame);
    };
  }

  private Expression primary() {
    Token token = cursor.next();
    switch (token.kind()) {
      case NAME -> {
        return name(token);
      }
      case STRING -> {
        StringBuilder literal = new StringBuilder(token.text());
        while (cursor.peek().kind() == Kind.STRING) {
          literal.append(cursor.next().text());
        }
        return constant(Text.trusted(literal.toString()));
      }
      case INTEGER -> {
        if (token.text().length() > 18) {
          throw cursor.source.error(token.at(), "an integer of more than 18 digits");
        }
        return constant(Long.valueOf(token.text()));
      }
      case REAL -> {
        return constant(Double.valueOf(token.text()));
      }
      case OPERATOR -> {
        switch (token.text()) {
          case "(" -> {
            return parenthesis();
          }
          case "[" -> {
            return list(elements("]"));
          }
          case "{" -> {
            return dictionary();
          }
          default -> {}
        }
      }
      default -> {}
    }
    throw cursor.source.error(token.at(), token.describe() + " where a value should be");
  }

  private static Expression constant(Object value) {
    return frame -> value;
  }

  private static Expression name(Token token) {
    return switch (token.text()) {
      case "true", "True" -> constant(Boolean.TRUE);
      case "false", "False" -> constant(Boolean.FALSE);
      case "none", "None" -> constant(Absent.NONE);
      default -> frame -> frame.get(token.text());
    };
  }

  private Expression parenthesis() {
    if (cursor.skipOperator(")")) {
      return list(List.of());
    }
    Expression first = expression();
    if (cursor.skipOperator(")")) {
      return first;
    }
    cursor.expectOperator(",");
    List<Expression> elements = new ArrayList<>(List.of(first));
    elements.addAll(elements(")"));
    return list(elements);
  }

  private List<Expression> elements(String close) {
    List<Expression> elements = new ArrayList<>();
    while (!cursor.skipOperator(close)) {
      elements.add(expression());
      if (!cursor.isOperator(close)) {
        cursor.expectOperator(",");
      }
    }
    return elements;
  }

  private static Expression list(List<Expression> elements) {
    return frame -> {
      frame.chargeElements(elements.size());
      List<Object> values = new ArrayList<>(elements.size());
      for (Expression element : elements) {
        values.add(frame.eval(element));
      }
      return values;
    };
  }

  private Expression dictionary() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!cursor.skipOperator("}")) {
      keys.add(expression());
      cursor.expectOperator(":");
      values.add(expression());
      if (!cursor.isOperator("}")) {
        cursor.expectOperator(",");
      }
    }
    return frame -> {
      frame.chargeElements(2L * keys.size());
      Map<String, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Printing.text(frame.eval(keys.get(i)), frame).value(), frame.eval(values.get(i)));
      }
      return map;
    };
  }

  private Expression postfix(Expression first) {
    Expression value = first;
    while (cursor.peek().kind() == Kind.OPERATOR) {
      Token token = cursor.peek();
      Expression object = value;
      if (cursor.skipOperator(".")) {
        Text name =
            Text.trusted(
                cursor.peek().kind() == Kind.INTEGER ? cursor.next().text() : cursor.name());
        value = frame -> access(frame, object, constant(name), token.at(), true);
      } else if (cursor.skipOperator("[")) {
        value = subscript(object, token.at());
      } else if (cursor.skipOperator("(")) {
        ArgumentList arguments = arguments();
        value = frame -> call(frame, frame.eval(object), arguments.eval(frame), token.at());
      } else {
        break;
      }
    }
    return value;
  }

  private static Object access(
      Frame frame, Expression object, Expression key, int at, boolean attribute) {
    Object container = frame.eval(object);
    Object name = frame.eval(key);
    frame.at = at;
    return attribute
        ? Values.attribute(container, ((Text) name).value(), frame)
        : Values.item(container, name, frame);
  }

  static Object call(Frame frame, Object function, Arguments arguments, int at) {
    frame.at = at;
    if (function instanceof Callable callable) {
      return callable.call(frame, arguments);
    }
    throw new Fault(Values.describe(function) + " is no function");
  }

  private Expression subscript(Expression object, int at) {
    Expression none = constant(Absent.NONE);
    Expression begin = cursor.isOperator(":") ? none : expression();
    if (cursor.skipOperator("]")) {
      return frame -> access(frame, object, begin, at, false);
    }
    cursor.expectOperator(":");
    Expression end = cursor.isOperator(":") || cursor.isOperator("]") ? none : expression();
    Expression step = none;
    if (cursor.skipOperator(":") && !cursor.isOperator("]")) {
      step = expression();
    }
    cursor.expectOperator("]");
    Expression stride = step;
    return frame -> {
      Object sequence = frame.eval(object);
      Object from = frame.eval(begin);
      Object to = frame.eval(end);
      Object by = frame.eval(stride);
      frame.at = at;
      return Values.slice(sequence, from, to, by, frame);
    };
  }

  private ArgumentList arguments() {
    List<Expression> values = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!cursor.skipOperator(")")) {
      if (cursor.peek().kind() == Kind.NAME && cursor.peekBehind().is(Kind.OPERATOR, "=")) {
        String name = cursor.name();
        cursor.next();
        named.put(name, expression());
      } else {
        values.add(expression());
      }
      if (!cursor.isOperator(")")) {
        cursor.expectOperator(",");
      }
    }
    return new ArgumentList(values, named);
  }

  private Expression filtered(Expression first) {
    Expression value = first;
    while (true) {
      if (cursor.isOperator("|")) {
        value = filter(value);
      } else if (cursor.isName("is")) {
        value = test(value);
      } else if (cursor.isOperator("(") || cursor.isOperator(".") || cursor.isOperator("[")) {
        value = postfix(value);
      } else {
        return value;
      }
    }
  }

  /** Takes one filter behind a value. */
  Expression filter(Expression value) {
    cursor.expectOperator("|");
    Token token = cursor.peek();
    Filters.Filter filter = Filters.find(cursor.name());
    if (filter == null) {
      throw cursor.source.error(token.at(), "unknown filter '" + token.text() + "'");
    }
    ArgumentList arguments = cursor.skipOperator("(") ? arguments() : NO_ARGUMENTS;
    return frame -> {
      Object input = frame.eval(value);
      Arguments evaluated = arguments.eval(frame);
      frame.at = token.at();
      return filter.apply(frame, input, evaluated);
    };
  }

  private Expression test(Expression value) {
    cursor.expectName("is");
    boolean negated = cursor.skipName("not");
    Token token = cursor.peek();
    Tests.Test test = Tests.find(cursor.name());
    if (test == null) {
      throw cursor.source.error(token.at(), "unknown test '" + token.text() + "'");
    }
    ArgumentList arguments = NO_ARGUMENTS;
    if (cursor.skipOperator("(")) {
      arguments = arguments();
    } else if (beginsArgument(cursor.peek())) {
      arguments = new ArgumentList(List.of(postfix(primary())), Map.of());
    }
    ArgumentList given = arguments;
    return frame -> {
      Object input = frame.eval(value);
      Arguments evaluated = given.eval(frame);
      frame.at = token.at();
      return test.apply(frame, input, evaluated) != negated;
    };
  }

  private static boolean beginsArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !BEHIND_TEST.contains(token.text());
      case STRING, INTEGER, REAL -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }
}
