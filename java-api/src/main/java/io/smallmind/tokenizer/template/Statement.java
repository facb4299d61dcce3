package io.smallmind.tokenizer.template;

/** Writes output, or changes variables. */
@FunctionalInterface
interface Statement {
  /** How to go on. */
  enum Flow {
    /** With the next statement. */
    NEXT,
    /** Behind the loop. */
    BREAK,
    /** With the loop's next round. */
    CONTINUE
  }

  /** Runs it; callers go through {@link Frame#run}, which counts. */
  Flow run(Frame frame, TextBuilder out);
}
