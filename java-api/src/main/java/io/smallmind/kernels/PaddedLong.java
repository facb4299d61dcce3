package io.smallmind.kernels;

import java.util.concurrent.atomic.AtomicLong;

/** An integer that shares its cache line with nothing that other threads write. */
final class PaddedLong extends AtomicLong {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("unused")
  private transient long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;
}
