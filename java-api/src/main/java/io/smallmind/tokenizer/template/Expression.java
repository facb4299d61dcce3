package io.smallmind.tokenizer.template;

/** Computes a value: a Text, Long, Double, Boolean, List, Map, Absent, Namespace or Callable. */
@FunctionalInterface
interface Expression {
  /** Returns the value; callers go through {@link Frame#eval}, which counts. */
  Object eval(Frame frame);
}
