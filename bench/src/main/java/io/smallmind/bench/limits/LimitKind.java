package io.smallmind.bench.limits;

/** Something the machine can do only so much of in a second. */
public enum LimitKind {
  /** F32 multiply-adds in registers; each is two operations. */
  FMA("FP32 multiply-add", "GFLOPS"),
  /** Products of 8-bit integers, summed in registers; each with its addition is two operations. */
  INT8_DOT("8-bit dot product", "GOPS"),
  /** Reading memory far larger than the caches. */
  READ("memory read", "GB/s");

  private final String title;
  private final String unit;

  LimitKind(String title, String unit) {
    this.title = title;
    this.unit = unit;
  }

  /** Returns what is limited, for a person. */
  public String title() {
    return title;
  }

  /** Returns the unit of its rate. */
  public String unit() {
    return unit;
  }
}
