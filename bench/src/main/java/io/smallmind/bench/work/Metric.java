package io.smallmind.bench.work;

/** What a case's speed is told in. */
public enum Metric {
  /** Operations in a second. */
  GFLOPS("GFLOPS"),
  /** Bytes read and written in a second. */
  GIGABYTES("GB/s"),
  /** How often it can be done in a second. */
  CALLS("calls/s"),
  /** Tokens in a second. */
  TOKENS("tok/s");

  private final String unit;

  Metric(String unit) {
    this.unit = unit;
  }

  /** Returns the unit of its rates. */
  public String unit() {
    return unit;
  }
}
