package io.smallmind.kernels;

/** Which two values of a head are rotated together. */
public enum RopePairing {
  /** Values 2i and 2i + 1 (the paper's order; llama in GGUF). */
  ADJACENT,
  /** Values i and i + rotaryDim/2 (GPT-NeoX's order; qwen, gemma, phi). */
  HALVES
}
