package io.smallmind.natives;

import io.smallmind.presets.SmallMind;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.jspecify.annotations.Nullable;

/**
 * OpenBLAS, loaded when it is needed first, since unpacking it takes a good part of a second.
 *
 * <p>It is told to use one thread: our own threads call it on parts of a matrix. Its own ones would
 * spin on for up to 100 ms after each call, and suffer badly beside other load. Thread-safe.
 */
final class OpenBlas {
  private static final System.Logger LOG = System.getLogger("io.smallmind.kernels");

  /** Longest dimension of a call in elements: the interface has 32-bit integers. */
  private static final int MAX_DIMENSION = 1 << 30;

  /** The user's word on whose kernels OpenBLAS takes, which explains many a low figure. */
  private static final String CORE_VARIABLE = "OPENBLAS_CORETYPE";

  private static volatile String status = "FP32 gemm by OpenBLAS, loaded when first used";

  private static final class Holder {
    static final OpenBlas OPENBLAS = load();
  }

  /** A view of memory that JavaCPP neither allocated nor frees; one is used for many calls. */
  private static final class View extends FloatPointer {
    private static final long serialVersionUID = 1L;

    View() {
      super((Pointer) null);
    }

    View at(long newAddress) {
      address = newAddress;
      return this;
    }
  }

  private static final class Views {
    final View a = new View();
    final View b = new View();
    final View c = new View();
  }

  private final ThreadLocal<Views> views = ThreadLocal.withInitial(Views::new);
  private final @Nullable Throwable failure;
  private final int maxDimension;

  /** Uses the library that is loaded; tests choose a small maximal dimension. */
  OpenBlas(@Nullable Throwable failure, int maxDimension) {
    this.failure = failure;
    this.maxDimension = maxDimension;
  }

  /** Returns OpenBLAS, loading it on the first call; never throws. */
  static OpenBlas get() {
    return Holder.OPENBLAS;
  }

  /** Returns what is loaded, or that nothing is, and why; doesn't load anything. */
  static String status() {
    return status;
  }

  /** Tells whether {@link #gemm} may be called. */
  boolean isLoaded() {
    return failure == null;
  }

  /** Returns what was thrown while loading, or null if all went well. */
  @Nullable Throwable failure() {
    return failure;
  }

  private static OpenBlas load() {
    try {
      Loader.load(openblas_nolapack.class);
      status = "FP32 gemm by " + loadLibrary();
      return new OpenBlas(null, MAX_DIMENSION);
    } catch (LinkageError | RuntimeException e) {
      status = "FP32 gemm in Java, because OpenBLAS can't be loaded: " + reason(e);
      LOG.log(System.Logger.Level.WARNING, status);
      return new OpenBlas(e, MAX_DIMENSION);
    }
  }

  private static String reason(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root + NativeLibrary.remedy(String.valueOf(root.getMessage()));
  }

  /** Loads the library, for one thread, and returns what it says it is. */
  private static String loadLibrary() {
    Loader.load(openblas_nolapack.class);
    for (String file : Loader.getLoadedLibraries().values()) {
      if (SmallMind.sm_blas_set_threads(file, 1) == 1) {
        String wanted = System.getenv(CORE_VARIABLE);
        return SmallMind.sm_blas_config(file).strip()
            + ", core "
            + SmallMind.sm_blas_core(file)
            + (wanted == null ? "" : " (set by " + CORE_VARIABLE + "=" + wanted + ")");
      }
    }
    return "a BLAS that is not OpenBLAS ("
        + Loader.getLoadedLibraries().values()
        + "); limit it to one thread yourself";
  }

  /** Tells whether rows at this distance, in elements, can be passed on. */
  static boolean reaches(long leadingDimension) {
    return leadingDimension <= Integer.MAX_VALUE;
  }

  /**
   * Computes C = alpha · op(A) · op(B) + beta · C, row-major, on the calling thread.
   *
   * @param a address; likewise b and c
   * @param lda distance of A's stored rows, in elements, which {@link #reaches}; likewise ldb, ldc
   *     (0, where there are no columns, is an error to OpenBLAS only)
   * @see io.smallmind.kernels.Kernels#gemm
   */
  void gemm(
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k,
      float alpha,
      long a,
      long lda,
      long b,
      long ldb,
      float beta,
      long c,
      long ldc) {
    for (long row = 0; row < m; row += maxDimension) {
      for (long column = 0; column < n; column += maxDimension) {
        float scaleC = beta;
        long depth = 0;
        do {
          call(
              transposeA,
              transposeB,
              (int) Math.min(maxDimension, m - row),
              (int) Math.min(maxDimension, n - column),
              (int) Math.min(maxDimension, k - depth),
              alpha,
              a + 4 * (transposeA ? depth * lda + row : row * lda + depth),
              (int) Math.max(1, lda),
              b + 4 * (transposeB ? column * ldb + depth : depth * ldb + column),
              (int) Math.max(1, ldb),
              scaleC,
              c + 4 * (row * ldc + column),
              (int) Math.max(1, ldc));
          scaleC = 1;
          depth += maxDimension;
        } while (depth < k);
      }
    }
  }

  private void call(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long a,
      int lda,
      long b,
      int ldb,
      float beta,
      long c,
      int ldc) {
    Views here = views.get();
    openblas_nolapack.cblas_sgemm(
        openblas_nolapack.CblasRowMajor,
        transposeA ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
        transposeB ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans,
        m,
        n,
        k,
        alpha,
        here.a.at(a),
        lda,
        here.b.at(b),
        ldb,
        beta,
        here.c.at(c),
        ldc);
  }
}
