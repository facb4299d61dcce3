package io.smallmind.bench.limits;

import java.lang.foreign.MemorySegment;

/** Loops that reach a limit; single-threaded, stateless and thread-safe. */
interface LimitLoops {
  /** Returns what the loops are made of, for a person. */
  String name();

  /** Tells whether there is a loop of this kind. */
  boolean has(LimitKind kind);

  /** Runs multiply-adds in registers and returns the number of operations done. */
  double multiplyAdd(long rounds);

  /** Runs 8-bit dot products in registers and returns the number of operations done. */
  double int8Dot(long rounds);

  /**
   * Reads memory once.
   *
   * @param begin offset in bytes, a multiple of 512; end likewise
   * @return a checksum, which the caller must use
   */
  long read(MemorySegment memory, long begin, long end);

  /** Tells whether there are loops like those of a plain C program. */
  boolean hasPlainLoops();

  /**
   * Computes out[i] = a[i] + b[i] as a plain C loop.
   *
   * @param begin index of the first element, a multiple of 16; end likewise
   * @param streaming stores around the caches, where the machine can
   */
  void add(
      MemorySegment a, MemorySegment b, MemorySegment out, long begin, long end, boolean streaming);

  /** Computes out[i] = max(in[i], 0) likewise. */
  void relu(MemorySegment in, MemorySegment out, long begin, long end, boolean streaming);
}
