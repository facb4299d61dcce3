package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import io.smallmind.tokenizer.template.Statement.Flow;
import io.smallmind.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns the tokens of a template into what runs it. Not thread-safe. */
final class StatementParser {
  private final Cursor cursor;
  private final ExpressionParser expressions;
  private int loops;

  private StatementParser(Source source) {
    cursor = new Cursor(source);
    expressions = new ExpressionParser(cursor);
  }

  static Statement parse(Source source) {
    StatementParser parser = new StatementParser(source);
    Statement all = parser.block(Set.of());
    if (parser.cursor.peek().kind() != Kind.END) {
      throw parser.cursor.unexpected("the end of the template");
    }
    return all;
  }

  /** Takes statements up to one of these words, which it leaves there with its tag open. */
  private Statement block(Set<String> ends) {
    cursor.nest();
    int begin = cursor.peek().at();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = cursor.next();
      if (token.kind() == Kind.DATA) {
        Text data = Text.trusted(token.text());
        statements.add(
            (frame, out) -> {
              frame.write(out, data);
              return Flow.NEXT;
            });
      } else if (token.kind() == Kind.OUTPUT_BEGIN) {
        Expression value = expressions.tuple();
        cursor.expect(Kind.OUTPUT_END, "'}}'");
        statements.add(
            (frame, out) -> {
              Object result = frame.eval(value);
              frame.at = token.at();
              frame.write(out, Printing.text(result, frame));
              return Flow.NEXT;
            });
      } else if (token.kind() == Kind.BLOCK_BEGIN) {
        if (cursor.peek().kind() == Kind.NAME && ends.contains(cursor.peek().text())) {
          break;
        }
        statements.add(statement());
      } else if (token.kind() == Kind.END && ends.isEmpty()) {
        break;
      } else {
        throw cursor.source.error(begin, "no " + String.join(" or ", ends) + " for this block");
      }
    }
    cursor.unnest();
    return (frame, out) -> {
      for (Statement statement : statements) {
        Flow flow = frame.run(statement, out);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }

  private void endTag() {
    cursor.expect(Kind.BLOCK_END, "'%}'");
  }

  private Statement statement() {
    Token token = cursor.peek();
    switch (cursor.name()) {
      case "if" -> {
        return condition();
      }
      case "for" -> {
        return loop();
      }
      case "set" -> {
        return set(token.at());
      }
      case "macro" -> {
        return macro(token.at());
      }
      case "filter" -> {
        return filter(token.at());
      }
      case "generation" -> {
        endTag();
        return body("endgeneration");
      }
      case "break" -> {
        return jump(Flow.BREAK);
      }
      case "continue" -> {
        return jump(Flow.CONTINUE);
      }
      default ->
          throw cursor.source.error(token.at(), "unsupported statement '" + token.text() + "'");
    }
  }

  private Statement body(String end) {
    Statement body = block(Set.of(end));
    cursor.expectName(end);
    endTag();
    return body;
  }

  private Statement jump(Flow flow) {
    if (loops == 0) {
      throw cursor.unexpected("a loop around this");
    }
    endTag();
    return (frame, out) -> flow;
  }

  private Statement condition() {
    record Branch(Expression condition, Statement body) {}

    List<Branch> branches = new ArrayList<>();
    Statement otherwise = (frame, out) -> Flow.NEXT;
    String word = "if";
    while (!word.equals("endif")) {
      if (word.equals("else")) {
        endTag();
        otherwise = block(Set.of("endif"));
      } else {
        Expression condition = expressions.tuple();
        endTag();
        branches.add(new Branch(condition, block(Set.of("elif", "else", "endif"))));
      }
      word = cursor.name();
    }
    endTag();
    Statement last = otherwise;
    return (frame, out) -> {
      for (Branch branch : branches) {
        if (Values.isTrue(frame.eval(branch.condition()))) {
          return frame.run(branch.body(), out);
        }
      }
      return frame.run(last, out);
    };
  }

  private List<String> targets() {
    boolean bracket = cursor.skipOperator("(");
    List<String> names = new ArrayList<>();
    names.add(cursor.name());
    while (cursor.skipOperator(",")) {
      names.add(cursor.name());
    }
    if (bracket) {
      cursor.expectOperator(")");
    }
    return names;
  }

  private static void assign(Frame frame, List<String> names, Object value) {
    if (names.size() == 1) {
      frame.set(names.getFirst(), value);
      return;
    }
    List<Object> parts = Values.iterate(value, frame);
    if (parts.size() != names.size()) {
      throw new Fault(parts.size() + " values for " + names.size() + " names");
    }
    for (int i = 0; i < names.size(); i++) {
      frame.set(names.get(i), parts.get(i));
    }
  }

  private Statement loop() {
    int at = cursor.peek().at();
    List<String> names = targets();
    cursor.expectName("in");
    Expression sequence = expressions.withoutCondition();
    Expression condition = cursor.skipName("if") ? expressions.expression() : null;
    if (cursor.isName("recursive")) {
      throw cursor.source.error(cursor.peek().at(), "recursive loops are unsupported");
    }
    endTag();
    loops++;
    Statement body = block(Set.of("else", "endfor"));
    loops--;
    Statement otherwise = null;
    if (cursor.skipName("else")) {
      endTag();
      otherwise = block(Set.of("endfor"));
    }
    cursor.expectName("endfor");
    endTag();
    return new ForLoop(at, names, sequence, condition, body, otherwise);
  }

  private record ForLoop(
      int at,
      List<String> names,
      Expression sequence,
      @Nullable Expression condition,
      Statement body,
      @Nullable Statement otherwise)
      implements Statement {
    @Override
    public Flow run(Frame frame, TextBuilder out) {
      Object container = frame.eval(sequence);
      frame.at = at;
      List<Object> elements = Values.iterate(container, frame);
      Frame.Scope before = frame.enter(frame.scope());
      Flow flow = Flow.NEXT;
      if (condition != null) {
        elements = kept(frame, elements, condition);
      }
      LoopState state = new LoopState(elements);
      for (int i = 0; i < elements.size() && flow != Flow.BREAK; i++) {
        frame.leave(before);
        frame.enter(before);
        frame.at = at;
        assign(frame, names, elements.get(i));
        state.index = i;
        frame.set("loop", state);
        flow = frame.run(body, out);
      }
      frame.leave(before);
      return elements.isEmpty() && otherwise != null ? frame.run(otherwise, out) : Flow.NEXT;
    }

    private List<Object> kept(Frame frame, List<Object> elements, Expression condition) {
      List<Object> kept = new ArrayList<>();
      for (Object element : elements) {
        assign(frame, names, element);
        if (Values.isTrue(frame.eval(condition))) {
          kept.add(element);
        }
      }
      return kept;
    }
  }

  private Statement set(int at) {
    if (cursor.peekBehind().is(Kind.OPERATOR, ".")) {
      String name = cursor.name();
      cursor.next();
      String field = cursor.name();
      cursor.expectOperator("=");
      Expression value = expressions.tuple();
      endTag();
      return (frame, out) -> {
        Object result = frame.eval(value);
        frame.at = at;
        if (!(frame.get(name) instanceof Namespace namespace)) {
          throw new Fault("'" + name + "' is no namespace, so '" + field + "' can't be set");
        }
        namespace.values().put(field, result);
        return Flow.NEXT;
      };
    }
    List<String> names = targets();
    if (cursor.skipOperator("=")) {
      Expression value = expressions.tuple();
      endTag();
      return (frame, out) -> {
        Object result = frame.eval(value);
        frame.at = at;
        assign(frame, names, result);
        return Flow.NEXT;
      };
    }
    return capture("endset", (frame, text) -> frame.set(names.getFirst(), text));
  }

  private interface Taker {
    void take(Frame frame, Object text);
  }

  /** Takes filters, and a block whose output they get. */
  private Statement capture(String end, Taker taker) {
    Expression value = frame -> frame.get(" captured");
    while (cursor.isOperator("|")) {
      value = expressions.filter(value);
    }
    Expression filtered = value;
    endTag();
    Statement body = body(end);
    return (frame, out) -> {
      TextBuilder inner = new TextBuilder();
      Frame.Scope before = frame.enter(frame.scope());
      frame.run(body, inner);
      frame.set(" captured", inner.build());
      Object result = frame.eval(filtered);
      frame.leave(before);
      taker.take(frame, result);
      return Flow.NEXT;
    };
  }

  private Statement filter(int at) {
    String end = "endfilter";
    Token name = cursor.peek();
    Filters.Filter first = Filters.find(cursor.name());
    if (first == null || !(cursor.peek().kind() == Kind.BLOCK_END)) {
      throw cursor.source.error(name.at(), "unsupported filter of a block");
    }
    endTag();
    Statement body = body(end);
    return (frame, out) -> {
      TextBuilder inner = new TextBuilder();
      frame.run(body, inner);
      frame.at = at;
      Object result = first.apply(frame, inner.build(), Arguments.NONE);
      frame.write(out, Printing.text(result, frame));
      return Flow.NEXT;
    };
  }

  private Statement macro(int at) {
    String name = cursor.name();
    cursor.expectOperator("(");
    List<String> parameters = new ArrayList<>();
    List<@Nullable Expression> defaults = new ArrayList<>();
    while (!cursor.skipOperator(")")) {
      parameters.add(cursor.name());
      defaults.add(cursor.skipOperator("=") ? expressions.expression() : null);
      if (!cursor.isOperator(")")) {
        cursor.expectOperator(",");
      }
    }
    endTag();
    int around = loops;
    loops = 0;
    Statement body = body("endmacro");
    loops = around;
    return (frame, out) -> {
      Frame.Scope home = frame.scope();
      Callable macro =
          (caller, arguments) -> {
            check(name, parameters, arguments);
            Frame.Scope before = caller.enter(home);
            for (int i = 0; i < parameters.size(); i++) {
              String parameter = parameters.get(i);
              Expression otherwise = defaults.get(i);
              caller.set(
                  parameter,
                  arguments.has(i, parameter)
                      ? arguments.get(i, parameter)
                      : otherwise == null ? new Absent(parameter) : caller.eval(otherwise));
            }
            TextBuilder inner = new TextBuilder();
            caller.run(body, inner);
            caller.leave(before);
            return inner.build();
          };
      frame.at = at;
      frame.set(name, macro);
      return Flow.NEXT;
    };
  }

  private static void check(String name, List<String> parameters, Arguments arguments) {
    if (arguments.values().size() > parameters.size()) {
      throw new Fault("too many arguments for the macro '" + name + "'");
    }
    for (Map.Entry<String, Object> each : arguments.named().entrySet()) {
      if (!parameters.contains(each.getKey())) {
        throw new Fault("the macro '" + name + "' has no parameter '" + each.getKey() + "'");
      }
    }
  }
}
