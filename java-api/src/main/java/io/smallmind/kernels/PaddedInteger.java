package io.smallmind.kernels;

import java.util.concurrent.atomic.AtomicInteger;

/** An integer that shares its cache line with nothing that other threads write. */
final class PaddedInteger extends AtomicInteger {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("unused")
  private transient long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;
}
