package io.smallmind;

/** Why a generation ended. */
public enum FinishReason {
  /** The model ended its turn. */
  END,
  /** A stop string came. */
  STOP,
  /** The wanted number of tokens was reached. */
  LENGTH,
  /** The context was full, and the session stops then. */
  CONTEXT,
  /** It was cancelled, or its thread interrupted. */
  CANCELLED
}
