package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Once compiled, no operation of any implementation allocates on the heap. */
class AllocationConformanceTest extends KernelConformance {
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 1000;

  /** Compilers that run in the background need a while; after this, allocation is a failure. */
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  private static void expectNoAllocation(String what, Runnable call) {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
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
    fail(what + " allocates " + bytes + " bytes in " + CALLS + " calls");
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

  private static void operations(
      Kernels kernels, int columns, Guarded in, Guarded other, Guarded out) {
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
