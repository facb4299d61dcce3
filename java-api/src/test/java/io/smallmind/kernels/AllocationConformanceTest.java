package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Once compiled, no operation of any implementation allocates on the heap.
 *
 * <p>Methods of the Vector API make so many nodes that C2 inlines the last of them late, in an
 * order of its own; now and then one then doesn't know the class of its vector, and keeps objects
 * of it for as long as the process runs. Another process compiles anew. So what allocates here is
 * looked at in others, each by itself, and is a failure if it allocates in one of those, too.
 */
class AllocationConformanceTest extends KernelConformance {
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 1000;

  /** Compilers that run in the background need a while; after this, another process looks. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  /** What that one waits before allocation is a failure. */
  private static final long LAST_PATIENCE_NANOS = 60_000_000_000L;

  /** How long another process may take. */
  private static final long PROCESS_MINUTES = 3;

  /** The one operation to look at; null for all. */
  private @Nullable String only;

  private boolean looked;

  /** The operations that allocated in this process, with how much. */
  private final Map<String, String> allocating = new TreeMap<>();

  private void expectNoAllocation(String what, Runnable call) {
    if (only != null && !only.equals(what)) {
      return;
    }
    looked = true;
    long deadline = System.nanoTime() + (only == null ? PATIENCE_NANOS : LAST_PATIENCE_NANOS);
    long bytes;
    do {
      long before = THREAD.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run();
      }
      bytes = THREAD.getCurrentThreadAllocatedBytes() - before;
      if (bytes == 0) {
        return;
      }
    } while (System.nanoTime() < deadline);
    allocating.put(what, bytes + " bytes in " + CALLS + " calls");
  }

  @AfterAll
  void nothingAllocatesInAnotherProcessToo() throws Exception {
    for (String what : allocating.keySet()) {
      System.out.println(what + " allocates " + allocating.get(what) + "; another process looks");
      assertAllocatesNothingInAnotherProcess(what);
    }
  }

  private void assertAllocatesNothingInAnotherProcess(String what) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith("smallmind.") || name.startsWith("org.bytedeco.")) {
        command.add("-D" + name + "=" + System.getProperty(name));
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(AllocationConformanceTest.class.getName(), what));
    Path output = Files.createTempFile("allocations", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(PROCESS_MINUTES, TimeUnit.MINUTES);
      process.destroyForcibly().waitFor();
      assertTrue(
          ended && process.exitValue() == 0,
          () -> what + " allocates " + allocating.get(what) + "; another process: " + read(output));
    } finally {
      Files.delete(output);
    }
  }

  private static String read(Path output) {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Looks at one operation; fails if it allocates, or if there is none of this name.
   *
   * @param args its name
   */
  public static void main(String[] args) throws Throwable {
    AllocationConformanceTest test = new AllocationConformanceTest();
    test.only = args[0];
    for (Stream<DynamicTest> tests :
        List.of(test.gemm(), test.quantizeAndMatmul(), test.operations(), test.attention())) {
      for (DynamicTest each : tests.toList()) {
        each.getExecutable().execute();
      }
    }
    assertTrue(test.looked, args[0]);
    assertEquals(Map.of(), test.allocating);
  }

  @TestFactory
  Stream<DynamicTest> gemm() {
    return onEveryBackend(
        kernels -> {
          int size = 37;
          try (Guarded a = Guarded.of(Data.normal(new Random(1), 1, size * size)[0]);
              Guarded b = Guarded.of(Data.normal(new Random(2), 1, size * size)[0]);
              Guarded c = Guarded.floats(size * size, 0)) {
            for (int transposes = 0; transposes < 4; transposes++) {
              boolean transposeA = (transposes & 1) != 0;
              boolean transposeB = (transposes & 2) != 0;
              expectNoAllocation(
                  kernels.name() + " gemm " + transposes,
                  () ->
                      kernels.gemm(
                          transposeA,
                          transposeB,
                          size,
                          size,
                          size,
                          1,
                          a.segment(),
                          0,
                          size,
                          b.segment(),
                          0,
                          size,
                          0,
                          c.segment(),
                          0,
                          size));
              count(kernels);
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> quantizeAndMatmul() {
    return onEveryBackend(
        kernels -> {
          for (TensorType type : Data.TYPES) {
            for (int rows : new int[] {1, 3, 20}) {
              matmul(kernels, type, rows);
            }
          }
        });
  }

  private void matmul(Kernels kernels, TensorType type, int rows) {
    int outputs = 34;
    int columns = 256;
    try (Guarded source = Guarded.rows(Data.normal(new Random(1), rows, columns), columns, 0);
        Guarded stored = Guarded.bytes(type.rowBytes(columns) * outputs);
        Guarded out = Guarded.floats((long) rows * outputs, 0);
        Activations x = new Activations(kernels, source.matrix(rows, columns, 0))) {
      for (int row = 0; row < outputs; row++) {
        Data.weights(
            new Random(row),
            Data.Fill.RANDOM,
            type,
            stored.segment(),
            row * type.rowBytes(columns),
            columns);
      }
      Matrix weights = Matrix.of(stored.segment(), type, outputs, columns);
      Matrix y = out.matrix(rows, outputs, 0);
      try (Team team = new Team(1);
          PackedWeights w = PackedWeights.pack(kernels, team, weights)) {
        expectNoAllocation(kernels.name() + " quantize", () -> kernels.quantize(x, 0, rows));
        expectNoAllocation(
            kernels.name() + " matmul of " + type + " and " + rows + " rows",
            () -> kernels.matmul(x, 0, rows, w, 0, outputs, y));
      }
    }
    count(kernels);
  }

  @TestFactory
  Stream<DynamicTest> operations() {
    return onEveryBackend(
        kernels -> {
          int columns = 67;
          float[] values = Data.normal(new Random(1), 1, columns)[0];
          try (Guarded in = Guarded.of(values);
              Guarded other = Guarded.of(values);
              Guarded out = Guarded.floats(columns, 0)) {
            operations(kernels, columns, in, other, out);
          }
          count(kernels);
        });
  }

  private void operations(Kernels kernels, int columns, Guarded in, Guarded other, Guarded out) {
    MemorySegment a = in.segment();
    MemorySegment b = other.segment();
    MemorySegment c = out.segment();
    Matrix x = in.matrix(1, columns, 0);
    Matrix w = other.matrix(1, columns, 0);
    Matrix y = out.matrix(1, columns, 0);
    String name = kernels.name() + " ";
    for (BinaryOp op : BinaryOp.values()) {
      expectNoAllocation(name + op, () -> kernels.binary(op, a, 0, b, 0, c, 0, columns));
    }
    for (UnaryOp op : UnaryOp.values()) {
      expectNoAllocation(name + op, () -> kernels.unary(op, a, 0, c, 0, columns));
      expectNoAllocation(name + "gate " + op, () -> kernels.gate(op, y, w, 0, 1, 0, columns));
    }
    expectNoAllocation(name + "scale", () -> kernels.scale(2, a, 0, c, 0, columns));
    float[] sink = new float[1];
    expectNoAllocation(name + "dot", () -> sink[0] += kernels.dot(a, 0, b, 0, columns));
    expectNoAllocation(name + "softmax", () -> kernels.softmax(x, y, 0, 1));
    expectNoAllocation(name + "layerNorm", () -> kernels.layerNorm(x, w, w, 1e-5f, y, 0, 1));
    expectNoAllocation(name + "rmsNorm", () -> kernels.rmsNorm(x, w, 1e-5f, y, 0, 1));
    for (RopePairing pairing : RopePairing.values()) {
      expectNoAllocation(
          name + "rope " + pairing, () -> kernels.rope(pairing, c, 0, 1, 66, 64, b, 0));
    }
  }

  @TestFactory
  Stream<DynamicTest> attention() {
    return onEveryBackend(
        kernels -> {
          for (TensorType type : AttentionCase.TYPES) {
            for (int rows : new int[] {1, 9}) {
              AttentionCase shape = new AttentionCase(type, 64, 2, 4, 40, rows, 0, 0);
              try (AttentionCase.Buffers buffers = shape.new Buffers(new Random(1))) {
                expectNoAllocation(
                    kernels.name() + " store of " + type,
                    () -> buffers.store(kernels, 0, shape.positions()));
                expectNoAllocation(
                    kernels.name() + " attention of " + type + " and " + rows + " rows",
                    () -> buffers.attend(kernels, 0, rows, 0, 2));
              }
            }
          }
          count(kernels);
        });
  }
}
