package io.smallmind.bench.work;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.NoSuchElementException;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.jspecify.annotations.Nullable;

/** OpenBLAS, called as from C: nothing of this library in between. */
public final class OpenBlas {
  /** Longest text that OpenBLAS describes itself with, in bytes. */
  private static final long MAX_TEXT = 256;

  private static final OpenBlas INSTANCE = load();

  private final @Nullable MethodHandle setThreads;
  private final String detail;
  private final String coreName;

  private OpenBlas(@Nullable MethodHandle setThreads, String detail, String coreName) {
    this.setThreads = setThreads;
    this.detail = detail;
    this.coreName = coreName;
  }

  /** A view of memory that somebody else owns. */
  private static final class View extends FloatPointer {
    private static final long serialVersionUID = 1L;

    View(MemorySegment segment) {
      super((Pointer) null);
      address = segment.address();
    }
  }

  /** JavaCPP's class lacks the calls that are made here by name. */
  private static OpenBlas load() {
    try {
      Loader.load(openblas_nolapack.class);
      Linker linker = Linker.nativeLinker();
      SymbolLookup symbols = SymbolLookup.loaderLookup();
      MethodHandle setThreads =
          linker.downcallHandle(
              symbols.findOrThrow("openblas_set_num_threads"), FunctionDescriptor.ofVoid(JAVA_INT));
      return new OpenBlas(
          setThreads,
          text(linker, symbols, "openblas_get_config"),
          text(linker, symbols, "openblas_get_corename"));
    } catch (NoSuchElementException e) {
      return new OpenBlas(null, "the BLAS that was found is not OpenBLAS", "");
    } catch (LinkageError | RuntimeException e) {
      return new OpenBlas(null, "not available: " + e, "");
    }
  }

  private static String text(Linker linker, SymbolLookup symbols, String function) {
    try {
      MemorySegment text =
          (MemorySegment)
              linker
                  .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(ADDRESS))
                  .invokeExact();
      return text.reinterpret(MAX_TEXT).getString(0).strip();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Tells whether it could be loaded. */
  public static boolean isAvailable() {
    return INSTANCE.setThreads != null;
  }

  /** Returns its version and build options, or why it can't be used. */
  public static String detail() {
    return INSTANCE.detail;
  }

  /** Returns the name of the CPU core whose kernels it runs; empty if it isn't available. */
  public static String coreName() {
    return INSTANCE.coreName;
  }

  /** Sets the number of its own threads. */
  static void setThreads(int threads) {
    MethodHandle handle = INSTANCE.setThreads;
    if (handle == null) {
      throw new IllegalStateException(detail());
    }
    try {
      handle.invokeExact(threads);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns a call that computes c (m, n) = a (m, k) · b (k, n). */
  static Runnable gemm(MemorySegment a, MemorySegment b, MemorySegment c, long m, long n, long k) {
    FloatPointer viewA = new View(a);
    FloatPointer viewB = new View(b);
    FloatPointer viewC = new View(c);
    int rows = Math.toIntExact(m);
    int columns = Math.toIntExact(n);
    int inner = Math.toIntExact(k);
    return () ->
        openblas_nolapack.cblas_sgemm(
            openblas_nolapack.CblasRowMajor,
            openblas_nolapack.CblasNoTrans,
            openblas_nolapack.CblasNoTrans,
            rows,
            columns,
            inner,
            1f,
            viewA,
            inner,
            viewB,
            columns,
            0f,
            viewC,
            columns);
  }
}
