package io.smallmind.drivers;

import java.io.IOException;
import org.bytedeco.mkl.global.mkl_rt;

/** MKL, called as from C; the number of its threads comes from the environment. */
final class Mkl {
  private Mkl() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(
                job ->
                    new BlasMultiplication(
                        job,
                        (transposed, m, n, k, a, b, rowOfB, y) ->
                            mkl_rt.cblas_sgemm(
                                mkl_rt.CblasRowMajor,
                                mkl_rt.CblasNoTrans,
                                transposed ? mkl_rt.CblasTrans : mkl_rt.CblasNoTrans,
                                m,
                                n,
                                k,
                                1,
                                a,
                                k,
                                b,
                                rowOfB,
                                0,
                                y,
                                n),
                        (ofColumns, rows, columns, b, x, y) ->
                            mkl_rt.cblas_sgemv(
                                mkl_rt.CblasRowMajor,
                                ofColumns ? mkl_rt.CblasTrans : mkl_rt.CblasNoTrans,
                                rows,
                                columns,
                                1,
                                b,
                                columns,
                                x,
                                1,
                                0,
                                y,
                                1)))
            .handlers());
  }
}
