package io.smallmind.drivers;

import com.github.tjake.jlama.math.VectorMath;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.FloatBufferTensor;
import com.github.tjake.jlama.tensor.operations.TensorOperations;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Jlama with its native kernels, as its models use them. */
final class Jlama {
  private Jlama() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(Product::new).handlers(), new ModelServer(JlamaDecoder::new).handlers());
  }

  /** Weights stand in rows of K; activations are rounded to 8 bits where weights have fewer. */
  private static final class Product implements Multiplication {
    private final Job job;
    private final TensorOperations operations;
    private final AbstractTensor<?, ?> a;
    private final List<AbstractTensor<?, ?>> weights = new ArrayList<>();
    private final AbstractTensor<?, ?> y;

    Product(Job job) {
      this.job = job;
      PhysicalCoreExecutor.overrideThreadCount(job.threads());
      operations = TensorOperationsProvider.get();
      a = tensor(job.aFloats(), job.m(), job.k());
      AbstractTensor<?, ?> decoded = tensor(rows(job), job.n(), job.k());
      for (int i = 0; i < job.copies(); i++) {
        weights.add(
            switch (job.type()) {
              case "F32" -> copy(decoded, job);
              case "Q4_0" -> decoded.quantize(DType.Q4);
              default -> throw new IllegalArgumentException("no products of " + job.type());
            });
      }
      y = tensor(new float[job.m() * job.n()], job.m(), job.n());
    }

    private static AbstractTensor<?, ?> copy(AbstractTensor<?, ?> tensor, Job job) {
      FloatBufferTensor copy = new FloatBufferTensor(job.n(), job.k());
      copy.copyFrom(tensor, 0, 0, Math.multiplyExact(job.n(), job.k()));
      return copy;
    }

    private static AbstractTensor<?, ?> tensor(float[] values, int rows, int columns) {
      FloatBufferTensor tensor = new FloatBufferTensor(rows, columns);
      int[] at = new int[2];
      for (int i = 0; i < values.length; i++) {
        at[0] = i / columns;
        at[1] = i % columns;
        tensor.set(values[i], at);
      }
      return tensor;
    }

    private static float[] rows(Job job) {
      return switch (job.type()) {
        case "Q4_0" -> Blocks.ofQ4(job.b()).decode();
        default -> job.transposed() ? job.bFloats() : transpose(job);
      };
    }

    private static float[] transpose(Job job) {
      float[] b = job.bFloats();
      float[] rows = new float[b.length];
      for (int i = 0; i < job.k(); i++) {
        for (int j = 0; j < job.n(); j++) {
          rows[j * job.k() + i] = b[i * job.n() + j];
        }
      }
      return rows;
    }

    @Override
    public void call(int copy) {
      boolean rounds = job.type().equals("Q4_0");
      AbstractTensor<?, ?> input = rounds ? operations.quantize(a, DType.I8, 0, job.k()) : a;
      AbstractTensor<?, ?> b = weights.get(copy);
      VectorMath.pchunk(
          0,
          job.n(),
          (begin, length) -> operations.dotProductChunk(y, input, b, 0, job.k(), begin, length));
      if (rounds) {
        input.close();
      }
    }

    @Override
    public float[] result() {
      float[] result = new float[job.m() * job.n()];
      for (int i = 0; i < result.length; i++) {
        result[i] = y.get(i / job.n(), i % job.n());
      }
      return result;
    }
  }
}
