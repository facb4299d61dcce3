package io.smallmind.drivers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The kernels of llama.cpp: ggml's graph of one product, on its backend for CPUs. Q4_0 weights are
 * in the memory that ggml rearranges them for, as llama.cpp keeps them.
 */
final class Ggml {
  /** The folder of ggml's libraries. */
  private static final String FOLDER = "bench.ggml";

  private static final int MOST_PROCESSORS = 512;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Arena ARENA = Arena.global();

  private Ggml() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(new MatmulServer(Product::new).handlers());
  }

  /** ggml's number of a type. */
  private static int number(String type) {
    return switch (type) {
      case "F32" -> 0;
      case "F16" -> 1;
      case "Q4_0" -> 2;
      case "Q8_0" -> 8;
      case "Q4_K" -> 12;
      case "Q6_K" -> 14;
      case "BF16" -> 30;
      default -> throw new IllegalArgumentException("no products of " + type);
    };
  }

  /** Functions of two libraries. */
  private record Library(SymbolLookup symbols) {
    static Library open(Path file) {
      return new Library(SymbolLookup.libraryLookup(file, ARENA));
    }

    MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
      return LINKER.downcallHandle(
          symbols.find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
    }

    MethodHandle procedure(String name, MemoryLayout... arguments) {
      return LINKER.downcallHandle(
          symbols.find(name).orElseThrow(), FunctionDescriptor.ofVoid(arguments));
    }
  }

  /** Opens the library for this CPU: the one that gives itself the highest score. */
  private static Library best(Path folder) throws Throwable {
    Library best = null;
    int highest = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "libggml-cpu-*.so")) {
      for (Path file : files) {
        Library library = Library.open(file);
        int score = (int) library.function("ggml_backend_score", JAVA_INT).invokeExact();
        if (score > highest) {
          highest = score;
          best = library;
        }
      }
    }
    if (best == null) {
      throw new IOException("no library in " + folder + " is for this CPU");
    }
    return best;
  }

  /** A graph for each copy of the weights. */
  private static final class Product implements Multiplication {
    private final Job job;
    private final MemorySegment backend;
    private final MemorySegment[] graphs;
    private final MemorySegment[] results;
    private final MethodHandle compute;
    private final MethodHandle get;
    private int last;

    Product(Job job) throws Exception {
      this.job = job;
      graphs = new MemorySegment[job.copies()];
      results = new MemorySegment[job.copies()];
      try {
        Path folder = Path.of(System.getProperty(FOLDER, ""));
        Library base = Library.open(folder.resolve("libggml-base.so"));
        Library cpu = best(folder);
        compute = base.function("ggml_backend_graph_compute", JAVA_INT, ADDRESS, ADDRESS);
        get = base.procedure("ggml_backend_tensor_get", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
        backend = (MemorySegment) cpu.function("ggml_backend_cpu_init", ADDRESS).invokeExact();
        cpu.procedure("ggml_backend_cpu_set_n_threads", ADDRESS, JAVA_INT)
            .invokeExact(backend, job.threads());
        keepThreads(base, cpu);
        build(base, cpu);
      } catch (Exception | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    /** Otherwise every product starts threads anew. */
    private void keepThreads(Library base, Library cpu) throws Throwable {
      MemoryLayout parameters =
          MemoryLayout.structLayout(
              MemoryLayout.sequenceLayout(MOST_PROCESSORS, JAVA_BYTE),
              JAVA_INT,
              JAVA_INT,
              JAVA_INT,
              JAVA_BYTE,
              JAVA_BYTE,
              MemoryLayout.paddingLayout(2));
      MemorySegment values =
          (MemorySegment)
              base.function("ggml_threadpool_params_default", parameters, JAVA_INT)
                  .invokeExact((SegmentAllocator) ARENA, job.threads());
      MemorySegment pool =
          (MemorySegment) cpu.function("ggml_threadpool_new", ADDRESS, ADDRESS).invokeExact(values);
      cpu.procedure("ggml_backend_cpu_set_threadpool", ADDRESS, ADDRESS).invokeExact(backend, pool);
    }

    private void build(Library base, Library cpu) throws Throwable {
      MethodHandle tensor =
          base.function("ggml_new_tensor_2d", ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG);
      MethodHandle set =
          base.procedure("ggml_backend_tensor_set", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
      MethodHandle multiply = base.function("ggml_mul_mat", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
      MethodHandle graph = base.function("ggml_new_graph", ADDRESS, ADDRESS);
      MethodHandle expand = base.procedure("ggml_build_forward_expand", ADDRESS, ADDRESS);
      MethodHandle allocate =
          base.function("ggml_backend_alloc_ctx_tensors", ADDRESS, ADDRESS, ADDRESS);
      MethodHandle allocateAs =
          base.function("ggml_backend_alloc_ctx_tensors_from_buft", ADDRESS, ADDRESS, ADDRESS);
      MemorySegment weights = offHeap(job.transposed() ? job.b() : rows());
      MemorySegment a = offHeap(job.a());
      for (int copy = 0; copy < job.copies(); copy++) {
        MemorySegment forWeights = context(base);
        MemorySegment w =
            (MemorySegment)
                tensor.invokeExact(forWeights, number(job.type()), (long) job.k(), (long) job.n());
        MemorySegment ignored;
        if (job.type().equals("Q4_0")) {
          MethodHandle rearranged =
              cpu.function("_Z35ggml_backend_cpu_repack_buffer_typev", ADDRESS);
          MemorySegment kind = (MemorySegment) rearranged.invokeExact();
          ignored = (MemorySegment) allocateAs.invokeExact(forWeights, kind);
        } else {
          ignored = (MemorySegment) allocate.invokeExact(forWeights, backend);
        }
        set.invokeExact(w, weights, 0L, weights.byteSize());
        MemorySegment context = context(base);
        MemorySegment x =
            (MemorySegment) tensor.invokeExact(context, 0, (long) job.k(), (long) job.m());
        results[copy] = (MemorySegment) multiply.invokeExact(context, w, x);
        graphs[copy] = (MemorySegment) graph.invokeExact(context);
        expand.invokeExact(graphs[copy], results[copy]);
        ignored = (MemorySegment) allocate.invokeExact(context, backend);
        set.invokeExact(x, a, 0L, a.byteSize());
      }
    }

    /** Returns a context that describes tensors and graphs, whose data lie elsewhere. */
    private static MemorySegment context(Library base) throws Throwable {
      MemoryLayout parameters =
          MemoryLayout.structLayout(JAVA_LONG, ADDRESS, JAVA_INT, MemoryLayout.paddingLayout(4));
      MemorySegment values = ARENA.allocate(parameters);
      values.set(JAVA_LONG, 0, 1 << 20);
      values.set(JAVA_INT, 16, 1); // No data in here.
      return (MemorySegment) base.function("ggml_init", ADDRESS, parameters).invokeExact(values);
    }

    /** Returns b with the shape (n, k). */
    private MemorySegment rows() {
      float[] b = job.bFloats();
      float[] rows = new float[b.length];
      for (int i = 0; i < job.k(); i++) {
        for (int j = 0; j < job.n(); j++) {
          rows[j * job.k() + i] = b[i * job.n() + j];
        }
      }
      return MemorySegment.ofArray(rows);
    }

    private static MemorySegment offHeap(MemorySegment segment) {
      return segment.isNative()
          ? segment
          : ARENA.allocate(segment.byteSize(), Float.BYTES).copyFrom(segment);
    }

    @Override
    public void call(int copy) throws Exception {
      last = copy;
      int status;
      try {
        status = (int) compute.invokeExact(backend, graphs[copy]);
      } catch (Exception | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
      if (status != 0) {
        throw new IllegalStateException("ggml gave status " + status);
      }
    }

    @Override
    public float[] result() throws Exception {
      long count = (long) job.m() * job.n();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment y = arena.allocate(count * Float.BYTES, Float.BYTES);
        get.invokeExact(results[last], y, 0L, y.byteSize());
        return y.toArray(JAVA_FLOAT);
      } catch (Exception | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
