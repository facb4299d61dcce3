package io.smallmind.training;

import io.smallmind.model.Architecture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole network and its optimizer in double precision, made of {@link DoubleOps}: another
 * implementation of the same training, that shares no code with what it checks.
 */
final class DoubleNetwork {
  private record Step(DoubleOps.Twin op, String out, List<String> in) {}

  private final NetworkConfig config;
  private final int windows;
  private final int context;
  final Map<String, double[]> weights = new HashMap<>();
  private final Map<String, double[]> firstMoments = new HashMap<>();
  private final Map<String, double[]> secondMoments = new HashMap<>();
  private final Map<String, double[]> values = new HashMap<>();
  private final List<Step> steps = new ArrayList<>();
  private int names;

  DoubleNetwork(NetworkConfig config, int windows, int context) {
    this.config = config;
    this.windows = windows;
    this.context = context;
  }

  /** Computes the loss of tokens (windows · context) that should have foretold the targets. */
  double loss(int[] tokens, int[] targets) {
    steps.clear();
    values.clear();
    values.putAll(weights);
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    int rows = windows * context;
    int n = config.length();
    if (!gpt2) {
      values.put("none", new double[context * n]);
    }
    String stream =
        apply(
            new DoubleOps.Embedding(tokens, context, n),
            "token_embd.weight",
            gpt2 ? "position_embd.weight" : "none");
    for (int layer = 0; layer < config.layers(); layer++) {
      stream = layer("blk." + layer + ".", stream, rows);
    }
    String logits =
        matmul(norm(stream, "output_norm", rows), Network.outputName(config), "", rows, n);
    String loss = apply(new DoubleOps.CrossEntropy(targets, config.vocabulary()), logits);
    return values.get(loss)[0];
  }

  private String layer(String prefix, String stream, int rows) {
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    int n = config.length();
    int inner = config.inner();
    int heads = config.heads();
    int kvHeads = config.kvHeads();
    int headDim = config.headDim();
    String x = norm(stream, prefix + "attn_norm", rows);
    x = matmul(x, prefix + "attn_qkv.weight", prefix + "attn_qkv.bias", rows, n);
    if (!gpt2) {
      int columns = (heads + 2 * kvHeads) * headDim;
      x =
          apply(
              new DoubleOps.Rope(
                  rows, columns, heads + kvHeads, headDim, context, config.ropeBase()),
              x);
    }
    x = apply(new DoubleOps.Attention(rows, context, heads, kvHeads, headDim), x);
    x =
        matmul(
            x, prefix + "attn_output.weight", prefix + "attn_output.bias", rows, heads * headDim);
    String middle = add(stream, x);
    x = norm(middle, prefix + "ffn_norm", rows);
    if (gpt2) {
      x = matmul(x, prefix + "ffn_up.weight", prefix + "ffn_up.bias", rows, n);
      x = apply(new DoubleOps.Gelu(), x);
    } else {
      x = matmul(x, prefix + "ffn_gate_up.weight", "", rows, n);
      x = apply(new DoubleOps.SwiGlu(rows, inner), x);
    }
    x = matmul(x, prefix + "ffn_down.weight", prefix + "ffn_down.bias", rows, inner);
    return add(middle, x);
  }

  private String add(String a, String b) {
    int n = values.get(a).length;
    DoubleOps.Twin sum =
        new DoubleOps.Twin() {
          @Override
          public double[] forward(double[]... in) {
            double[] y = new double[n];
            for (int i = 0; i < n; i++) {
              y[i] = in[0][i] + in[1][i];
            }
            return y;
          }

          @Override
          public double[][] backward(double[] dy, double[]... in) {
            return new double[][] {dy, dy};
          }
        };
    return apply(sum, a, b);
  }

  private String norm(String x, String name, int rows) {
    int n = config.length();
    return config.architecture() == Architecture.GPT2
        ? apply(
            new DoubleOps.LayerNorm(rows, n, config.epsilon()), x, name + ".weight", name + ".bias")
        : apply(new DoubleOps.RmsNorm(rows, n, config.epsilon()), x, name + ".weight");
  }

  private String matmul(String x, String weight, String bias, int rows, int k) {
    int n = weights.get(weight).length / k;
    String offset = weights.containsKey(bias) ? bias : "zeros" + n;
    values.putIfAbsent("zeros" + n, new double[n]);
    return apply(new DoubleOps.Matmul(rows, n, k), x, weight, offset);
  }

  private String apply(DoubleOps.Twin op, String... in) {
    String out = "value " + names++;
    double[][] inputs = new double[in.length][];
    for (int i = 0; i < in.length; i++) {
      inputs[i] = values.get(in[i]);
    }
    values.put(out, op.forward(inputs));
    steps.add(new Step(op, out, List.of(in)));
    return out;
  }

  /** Returns the gradients of the last loss. */
  Map<String, double[]> gradients() {
    Map<String, double[]> gradients = new HashMap<>();
    gradients.put(steps.getLast().out(), new double[] {1});
    for (Step step : steps.reversed()) {
      double[][] inputs = step.in().stream().map(values::get).toArray(double[][]::new);
      double[][] found = step.op().backward(gradients.get(step.out()), inputs);
      for (int i = 0; i < found.length; i++) {
        double[] sum =
            gradients.computeIfAbsent(step.in().get(i), in -> new double[values.get(in).length]);
        for (int j = 0; j < sum.length; j++) {
          sum[j] += found[i][j];
        }
      }
    }
    gradients.keySet().retainAll(weights.keySet());
    return gradients;
  }

  /** AdamW with clipping, as its papers have it; vectors don't decay. */
  void step(long step, double rate, double decay, double maxNorm) {
    Map<String, double[]> gradients = gradients();
    double squares = 0;
    for (double[] gradient : gradients.values()) {
      for (double g : gradient) {
        squares += g * g;
      }
    }
    double clip = Math.min(1, maxNorm / Math.sqrt(squares));
    gradients.forEach(
        (name, gradient) -> {
          double[] w = weights.get(name);
          double[] m = firstMoments.computeIfAbsent(name, each -> new double[w.length]);
          double[] v = secondMoments.computeIfAbsent(name, each -> new double[w.length]);
          boolean vector = name.endsWith(".bias") || name.contains("_norm.");
          for (int i = 0; i < w.length; i++) {
            double g = gradient[i] * clip;
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.95 * v[i] + 0.05 * g * g;
            double mean = m[i] / (1 - Math.pow(0.9, step));
            double square = v[i] / (1 - Math.pow(0.95, step));
            double decayed = vector ? 0 : decay * w[i];
            w[i] -= rate * (mean / (Math.sqrt(square) + 1e-8) + decayed);
          }
        });
  }
}
