package io.smallmind.tokenizer.template;

import java.util.List;
import java.util.Map;

/** A function, a macro, or a method of a value. */
@FunctionalInterface
interface Callable {
  /**
   * What a function is called with.
   *
   * @param values by position
   * @param named by name
   */
  record Arguments(List<Object> values, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /** Returns an argument, or the default if it is not given. */
    Object get(int position, String name, Object absent) {
      return position < values.size() ? values.get(position) : named.getOrDefault(name, absent);
    }

    /** Returns an argument that must be there. */
    Object get(int position, String name) {
      Object value = get(position, name, Absent.NONE);
      if (value == Absent.NONE && position >= values.size() && !named.containsKey(name)) {
        throw new Fault("the argument '" + name + "' is missing");
      }
      return value;
    }

    boolean has(int position, String name) {
      return position < values.size() || named.containsKey(name);
    }

    Text text(int position, String name) {
      if (get(position, name) instanceof Text text) {
        return text;
      }
      throw new Fault("the argument '" + name + "' is no string");
    }

    int integer(int position, String name, int absent) {
      Object value = get(position, name, (long) absent);
      if (value instanceof Long number) {
        return (int) Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE);
      }
      if (value == Absent.NONE) {
        return absent;
      }
      throw new Fault("the argument '" + name + "' is no integer");
    }
  }

  Object call(Frame frame, Arguments arguments);
}
