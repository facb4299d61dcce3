package io.smallmind.bench.work;

/** What a case's speed is told in. */
public enum Metric {
  /** Operations in a second. */
  GFLOPS,
  /** Bytes read and written in a second. */
  GIGABYTES
}
