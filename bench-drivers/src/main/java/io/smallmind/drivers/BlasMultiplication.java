package io.smallmind.drivers;

import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;

/** An F32 product by a BLAS: sgemv for a row, sgemm for more. */
final class BlasMultiplication implements Multiplication {
  /** y (m, n) = a (m, k) · b. */
  @FunctionalInterface
  interface Gemm {
    void run(
        boolean transposed,
        int m,
        int n,
        int k,
        FloatPointer a,
        FloatPointer b,
        int rowOfB,
        FloatPointer y);
  }

  /** y (rows or columns) = b (rows, columns) · x, or bᵀ · x. */
  @FunctionalInterface
  interface Gemv {
    void run(
        boolean ofColumns, int rows, int columns, FloatPointer b, FloatPointer x, FloatPointer y);
  }

  private final Job job;
  private final Gemm gemm;
  private final Gemv gemv;
  private final FloatPointer a;
  private final List<FloatPointer> b;
  private final FloatPointer y;

  BlasMultiplication(Job job, Gemm gemm, Gemv gemv) {
    this.job = job;
    this.gemm = gemm;
    this.gemv = gemv;
    a = new FloatPointer(job.aFloats());
    float[] weights = job.bFloats();
    b = IntStream.range(0, job.copies()).mapToObj(i -> new FloatPointer(weights)).toList();
    y = new FloatPointer((long) job.m() * job.n());
  }

  @Override
  public void call(int copy) {
    FloatPointer weights = b.get(copy);
    boolean transposed = job.transposed();
    int rows = transposed ? job.n() : job.k();
    int columns = transposed ? job.k() : job.n();
    if (job.m() == 1) {
      gemv.run(!transposed, rows, columns, weights, a, y);
    } else {
      gemm.run(transposed, job.m(), job.n(), job.k(), a, weights, columns, y);
    }
  }

  @Override
  public float[] result() {
    float[] result = new float[job.m() * job.n()];
    y.get(result);
    return result;
  }
}
