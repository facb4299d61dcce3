package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.TensorType;

/**
 * How a session remembers.
 *
 * @param contextLength most tokens to remember; 0 for what the model was trained on, at most
 *     {@value #DEFAULT_CONTEXT}
 * @param cacheType F16, or Q8_0 for about half the memory
 * @param overflow what happens when the context is full
 */
public record SessionOptions(int contextLength, TensorType cacheType, Overflow overflow) {
  /** The longest context that is taken without asking: memory grows only as it fills. */
  public static final int DEFAULT_CONTEXT = 8192;

  /** What happens when a context is full. */
  public enum Overflow {
    /** A typed error. */
    ERROR,
    /** The generation ends, with the finish reason CONTEXT. */
    STOP,
    /** The older half is forgotten, but for the first token, and the rest is read anew. */
    SHIFT
  }

  /** Checks the ranges. */
  public SessionOptions {
    if (contextLength < 0) {
      throw new BadArgumentException("contextLength = " + contextLength + ": choose 0 or more");
    }
    if (cacheType != TensorType.F16
        && cacheType != TensorType.Q8_0
        && cacheType != TensorType.F32) {
      throw new BadArgumentException("cacheType = " + cacheType + ": choose F16, Q8_0 or F32");
    }
  }

  /** Returns the usual options: the model's context, F16, an error when it is full. */
  public static SessionOptions defaults() {
    return new SessionOptions(0, TensorType.F16, Overflow.ERROR);
  }

  /** Returns these options with another context length. */
  public SessionOptions withContextLength(int tokens) {
    return new SessionOptions(tokens, cacheType, overflow);
  }

  /** Returns these options with another type of keys and values. */
  public SessionOptions withCacheType(TensorType type) {
    return new SessionOptions(contextLength, type, overflow);
  }

  /** Returns these options with another policy for a full context. */
  public SessionOptions withOverflow(Overflow policy) {
    return new SessionOptions(contextLength, cacheType, policy);
  }
}
