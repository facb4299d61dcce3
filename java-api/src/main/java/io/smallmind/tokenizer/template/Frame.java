package io.smallmind.tokenizer.template;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The state of one run of a template: variables, place, and what it may still use up. */
final class Frame {
  /** Deepest nesting of expressions, statements and macros at run time. */
  static final int MAX_DEPTH = 250;

  /** Most expressions and statements that one run evaluates. */
  static final int MAX_STEPS = 5_000_000;

  /** Most characters, and list elements times 16, that one run creates, reads or searches. */
  static final long MAX_CHARACTERS = 1L << 26;

  /** Most characters of output. */
  static final int MAX_OUTPUT = 1 << 24;

  /** The variables of a block, and of the blocks around it. */
  static final class Scope {
    final @Nullable Scope outer;
    final Map<String, Object> names = new HashMap<>();

    Scope(@Nullable Scope outer) {
      this.outer = outer;
    }
  }

  final Clock clock;

  /** Where in the template the run is: an offset in its text. */
  int at;

  private Scope scope = new Scope(null);
  private int depth;
  private int steps;
  private long characters;

  Frame(Clock clock) {
    this.clock = clock;
  }

  Object eval(Expression expression) {
    count();
    depth++;
    Object value = expression.eval(this);
    depth--;
    return value;
  }

  Statement.Flow run(Statement statement, TextBuilder out) {
    count();
    depth++;
    Statement.Flow flow = statement.run(this, out);
    depth--;
    return flow;
  }

  private void count() {
    if (depth >= MAX_DEPTH) {
      throw new Fault("nested deeper than " + MAX_DEPTH);
    }
    step();
  }

  private void step() {
    if (++steps > MAX_STEPS) {
      throw new Fault("takes more than " + MAX_STEPS + " steps");
    }
  }

  /** Counts characters that are created or read. */
  void charge(long touched) {
    characters += touched;
    if (characters > MAX_CHARACTERS) {
      throw new Fault("handles more than " + MAX_CHARACTERS + " characters");
    }
  }

  /** Counts list elements that are created or read. */
  void chargeElements(long touched) {
    charge(16 * touched);
  }

  /** Counts a search in characters, each of which may be compared with a part of some length. */
  void chargeSearch(long length, long part) {
    charge(length * (1 + part / 32)); // A processor compares some 32 at once.
  }

  void write(TextBuilder out, Text text) {
    charge(text.length());
    if ((long) out.length() + text.length() > MAX_OUTPUT) {
      throw new Fault("writes more than " + MAX_OUTPUT + " characters");
    }
    out.append(text);
  }

  Scope scope() {
    return scope;
  }

  /** Enters a block with variables of its own; returns the scope to go back to. */
  Scope enter(Scope outer) {
    Scope before = scope;
    scope = new Scope(outer);
    return before;
  }

  void leave(Scope before) {
    scope = before;
  }

  void set(String name, Object value) {
    scope.names.put(name, value);
  }

  Object get(String name) {
    for (Scope each = scope; each != null; each = each.outer) {
      step(); // Macros within macros can make this a long way.
      Object value = each.names.get(name);
      if (value != null) {
        return value;
      }
    }
    Callable function = Functions.find(name);
    return function != null ? function : new Absent(name);
  }
}
