package io.smallmind.drivers;

import java.io.IOException;
import org.bytedeco.openblas.global.openblas_nolapack;

/** OpenBLAS, called as from C; the number of its threads comes from the environment. */
final class OpenBlas {
  private OpenBlas() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(
                job ->
                    new BlasMultiplication(
                        job,
                        (transposed, m, n, k, a, b, rowOfB, y) ->
                            openblas_nolapack.cblas_sgemm(
                                openblas_nolapack.CblasRowMajor,
                                openblas_nolapack.CblasNoTrans,
                                transposed
                                    ? openblas_nolapack.CblasTrans
                                    : openblas_nolapack.CblasNoTrans,
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
                            openblas_nolapack.cblas_sgemv(
                                openblas_nolapack.CblasRowMajor,
                                ofColumns
                                    ? openblas_nolapack.CblasTrans
                                    : openblas_nolapack.CblasNoTrans,
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
