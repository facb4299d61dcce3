package io.smallmind.bench.work;

import io.smallmind.tensor.Memory;

/**
 * The inputs of an F32 gemm, and its reference.
 *
 * @param a (m, k)
 * @param b (k, n)
 */
record GemmData(Memory a, Memory b, long m, long n, long k, MatmulReference reference)
    implements AutoCloseable {

  static GemmData random(long m, long n, long k) {
    Memory a = RandomData.floats(Math.multiplyExact(m, k), 1);
    Memory b = RandomData.floats(Math.multiplyExact(k, n), 2);
    return new GemmData(a, b, m, n, k, MatmulReference.ofGemm(a.segment(), b.segment(), m, n, k));
  }

  @Override
  public void close() {
    a.close();
    b.close();
  }
}
