package io.smallmind.drivers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** PyTorch on the CPU, through its C++ interface and TorchScript. */
@SuppressWarnings("try") // A PointerScope frees what is made within it.
final class PyTorch {
  private static final String PRODUCTS =
      """
      def multiply(self, a, b):
          return torch.mm(a, b)
      def linear(self, a, w):
          return torch.linear(a, w)
      def pack4(self, w):
          return torch._convert_weight_to_int4pack_for_cpu(w, 1)
      def multiply4(self, a, w, steps):
          y = torch._weight_int4pack_mm_for_cpu(a.to(15), w, 32, steps)
          return y.to(6)
      def quantize8(self, w):
          q, sums, step, zero = torch.fbgemm_linear_quantize_weight(w)
          return q
      def sums8(self, w):
          q, sums, step, zero = torch.fbgemm_linear_quantize_weight(w)
          return sums
      def step8(self, w):
          q, sums, step, zero = torch.fbgemm_linear_quantize_weight(w)
          return torch.tensor([step, float(zero)])
      def pack8(self, q):
          return torch.fbgemm_pack_quantized_matrix(q)
      def multiply8(self, a, q, packed, sums, step: float, zero: int, bias):
          return torch.fbgemm_linear_int8_weight_fp32_activation(
              a, q, packed, sums, step, zero, bias)
      """;

  private PyTorch() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(PyTorch::prepare).handlers(),
        new ModelServer(TorchDecoder::new).handlers(),
        TorchTraining.handlers());
  }

  /** Returns a tensor of its own memory. */
  static Tensor tensor(float[] values, long... shape) {
    try (FloatPointer pointer = new FloatPointer(values)) {
      return torch.from_blob(pointer, shape).clone();
    }
  }

  private static Tensor bytes(byte[] values, long... shape) {
    try (BytePointer pointer = new BytePointer(values)) {
      return torch
          .from_blob(pointer, shape, new TensorOptions(torch.ScalarType.Byte))
          .to(torch.ScalarType.Int);
    }
  }

  private static Multiplication prepare(Job job) {
    torch.set_num_threads(job.threads());
    new NoGradGuard().retainReference(); // For the process' only thread, to its end.
    Script script = new Script(PRODUCTS);
    return switch (job.type()) {
      case "F32" -> floats(script, job);
      case "Q4_0" -> fourBits(script, job);
      case "Q8_0" -> eightBits(script, job);
      default -> throw new IllegalArgumentException("no products of " + job.type());
    };
  }

  /** Multiplies with the weights of a copy. */
  @FunctionalInterface
  private interface Call {
    Tensor of(Tensor a, int copy);
  }

  private static Multiplication floats(Script script, Job job) {
    String function = job.transposed() ? "linear" : "multiply";
    int rows = job.transposed() ? job.n() : job.k();
    int columns = job.transposed() ? job.k() : job.n();
    float[] values = job.bFloats();
    List<Tensor> weights = new ArrayList<>();
    for (int i = 0; i < job.copies(); i++) {
      weights.add(tensor(values, rows, columns));
    }
    return product(job, (a, copy) -> script.call(function, a, weights.get(copy)));
  }

  /** The very weights: bfloat16 activations and steps, as its operator is made for. */
  private static Multiplication fourBits(Script script, Job job) {
    Blocks blocks = Blocks.ofQ4(job.b());
    int groups = job.k() / Blocks.LENGTH;
    // (groups, n, 2): a step, and what a weight of 8 is worth
    float[] steps = new float[groups * job.n() * 2];
    for (int row = 0; row < job.n(); row++) {
      for (int group = 0; group < groups; group++) {
        steps[(group * job.n() + row) * 2] = blocks.steps()[row * groups + group];
      }
    }
    Tensor scales = tensor(steps, groups, job.n(), 2).to(torch.ScalarType.BFloat16);
    Tensor integers = bytes(blocks.integers(), job.n(), job.k());
    List<Tensor> weights = new ArrayList<>();
    for (int i = 0; i < job.copies(); i++) {
      weights.add(script.call("pack4", integers));
    }
    return product(job, (a, copy) -> script.call("multiply4", a, weights.get(copy), scales));
  }

  /** FBGEMM's product with activations that are rounded to 8 bits; weights are, anew. */
  private static Multiplication eightBits(Script script, Job job) {
    Tensor decoded = tensor(Blocks.ofQ8(job.b()).decode(), job.n(), job.k());
    Tensor integers = script.call("quantize8", decoded);
    Tensor sums = script.call("sums8", decoded);
    Tensor step = script.call("step8", decoded);
    double scale = step.createIndexer().getDouble(0);
    double zero = step.createIndexer().getDouble(1);
    Tensor bias = torch.zeros(job.n());
    List<Tensor> weights = new ArrayList<>();
    for (int i = 0; i < job.copies(); i++) {
      weights.add(script.call("pack8", integers));
    }
    return product(
        job,
        (a, copy) ->
            script.call(
                "multiply8", a, integers, weights.get(copy), sums, scale, Math.round(zero), bias));
  }

  private static Multiplication product(Job job, Call call) {
    Tensor a = tensor(job.aFloats(), job.m(), job.k());
    return new Multiplication() {
      private int last;

      @Override
      public void call(int copy) {
        last = copy;
        try (PointerScope scope = new PointerScope()) {
          call.of(a, copy);
        }
      }

      @Override
      public float[] result() {
        float[] result = new float[job.m() * job.n()];
        try (PointerScope scope = new PointerScope()) {
          new FloatPointer(call.of(a, last).contiguous().data_ptr_float()).get(result);
        }
        return result;
      }
    };
  }
}
