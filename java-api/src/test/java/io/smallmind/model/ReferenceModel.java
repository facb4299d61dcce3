package io.smallmind.model;

import io.smallmind.gguf.GgufWriter;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A tiny random model of any family, and the plainest forward pass for it: double precision, the
 * whole sequence at once, no cache, no shared code with what it tests. Written from the families'
 * papers and published configurations.
 */
final class ReferenceModel {
  /** How a family departs from Llama. */
  static final class Traits {
    String architecture = "llama";
    int layers = 3;
    int width = 32;
    int heads = 4;
    int kvHeads = 2;
    int headDim = 8;
    int inner = 48;
    int vocabulary = 40;
    boolean halves; // RoPE pairs i and i + headDim/2
    boolean biases;
    boolean headNorms;
    boolean postNorms;
    boolean layerNorm;
    boolean gated = true;
    boolean gelu;
    boolean fused;
    boolean tied;
    boolean scaledEmbeddings;
    boolean learnedPositions;
    int window;
    int pattern; // every pattern-th layer is global
    double ropeBase = 10000;
    double localRopeBase; // 0: as above
    double linear = 1;
    double yarn = 1;
    int original = 64;
    double[] divisors = {};
    String divisorTensor = "rope_freqs.weight";
    double attentionFactor = 1;
    double scoreCap;
    double logitCap;
    int experts;
    int used;
    boolean halfCache; // keys and values are remembered in F16
  }

  final Traits traits;
  private final Map<String, double[][]> tensors = new LinkedHashMap<>();
  private final Random random;

  ReferenceModel(Traits traits, long seed) {
    this.traits = traits;
    random = new Random(seed);
    Traits t = traits;
    int queries = t.heads * t.headDim;
    int keys = t.kvHeads * t.headDim;
    matrix("token_embd.weight", t.vocabulary, t.width, 1);
    if (t.learnedPositions) {
      matrix("position_embd.weight", 64, t.width, 0.5);
    }
    if (t.divisors.length > 0) {
      tensors.put(t.divisorTensor, new double[][] {round(t.divisors)});
    }
    for (int layer = 0; layer < t.layers; layer++) {
      String p = "blk." + layer + ".";
      norm(p + "attn_norm", t.width);
      if (t.fused) {
        matrix(p + "attn_qkv.weight", queries + 2 * keys, t.width, 0.3);
        bias(p + "attn_qkv", queries + 2 * keys, t.biases);
      } else {
        matrix(p + "attn_q.weight", queries, t.width, 0.3);
        matrix(p + "attn_k.weight", keys, t.width, 0.3);
        matrix(p + "attn_v.weight", keys, t.width, 0.3);
        bias(p + "attn_q", queries, t.biases);
        bias(p + "attn_k", keys, t.biases);
        bias(p + "attn_v", keys, t.biases);
      }
      if (t.headNorms) {
        norm(p + "attn_q_norm", t.headDim);
        norm(p + "attn_k_norm", t.headDim);
      }
      matrix(p + "attn_output.weight", t.width, queries, 0.3);
      bias(p + "attn_output", t.width, t.biases && t.layerNorm);
      if (t.postNorms) {
        norm(p + "post_attention_norm", t.width);
        norm(p + "post_ffw_norm", t.width);
      }
      norm(p + "ffn_norm", t.width);
      if (t.experts > 0) {
        matrix(p + "ffn_gate_inp.weight", t.experts, t.width, 0.5);
        matrix(p + "ffn_gate_exps.weight", t.experts * t.inner, t.width, 0.3);
        matrix(p + "ffn_up_exps.weight", t.experts * t.inner, t.width, 0.3);
        matrix(p + "ffn_down_exps.weight", t.experts * t.width, t.inner, 0.3);
      } else {
        if (t.gated && !t.fused) {
          matrix(p + "ffn_gate.weight", t.inner, t.width, 0.3);
        }
        matrix(p + "ffn_up.weight", t.gated && t.fused ? 2 * t.inner : t.inner, t.width, 0.3);
        matrix(p + "ffn_down.weight", t.width, t.inner, 0.3);
        bias(p + "ffn_up", t.inner, t.biases && t.layerNorm);
        bias(p + "ffn_down", t.width, t.biases && t.layerNorm);
      }
    }
    norm("output_norm", t.width);
    if (!t.tied) {
      matrix("output.weight", t.vocabulary, t.width, 0.3);
    }
  }

  private void matrix(String name, int rows, int columns, double scale) {
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) (random.nextGaussian() * scale);
      }
    }
    tensors.put(name, values);
  }

  private void norm(String name, int length) {
    double[] weights = new double[length];
    for (int i = 0; i < length; i++) {
      weights[i] = (float) (1 + 0.2 * random.nextGaussian());
    }
    tensors.put(name + ".weight", new double[][] {weights});
    bias(name, length, traits.layerNorm);
  }

  private void bias(String name, int length, boolean wanted) {
    if (wanted) {
      matrix(name + ".bias", 1, length, 0.3);
    }
  }

  private static double[] round(double[] values) {
    double[] rounded = values.clone();
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) rounded[i];
    }
    return rounded;
  }

  /** Writes the model as a GGUF file in F32, without a tokenizer. */
  void write(Path file) {
    write(file, new GgufWriter().put("tokenizer.ggml.model", "none"));
  }

  /** Writes the model as a GGUF file in F32, to which the writer may have something to add. */
  void write(Path file, GgufWriter writer) {
    Traits t = traits;
    String a = t.architecture + ".";
    writer.put("general.architecture", t.architecture);
    writer.put(a + "context_length", 64);
    writer.put(a + "embedding_length", t.width);
    writer.put(a + "block_count", t.layers);
    writer.put(a + "feed_forward_length", t.experts > 0 ? 2 * t.inner : t.inner);
    writer.put(a + "attention.head_count", t.heads);
    writer.put(a + "attention.head_count_kv", t.kvHeads);
    if (t.headDim * t.heads != t.width) {
      writer.put(a + "attention.key_length", t.headDim);
      writer.put(a + "attention.value_length", t.headDim);
    }
    writer.put(
        a + (t.layerNorm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
        1e-5f);
    if (!t.learnedPositions) {
      writer.put(a + "rope.dimension_count", t.headDim);
      writer.put(a + "rope.freq_base", (float) t.ropeBase);
    }
    if (t.linear != 1) {
      writer.put(a + "rope.scaling.type", "linear");
      writer.put(a + "rope.scaling.factor", (float) t.linear);
    }
    if (t.yarn != 1) {
      writer.put(a + "rope.scaling.type", "yarn");
      writer.put(a + "rope.scaling.factor", (float) t.yarn);
      writer.put(a + "rope.scaling.original_context_length", t.original);
    }
    if (t.attentionFactor != 1) {
      writer.put(a + "rope.scaling.attn_factor", (float) t.attentionFactor);
      writer.put(a + "rope.scaling.original_context_length", t.original);
    }
    if (t.window > 0) {
      writer.put(a + "attention.sliding_window", t.window);
    }
    if (t.scoreCap > 0) {
      writer.put(a + "attn_logit_softcapping", (float) t.scoreCap);
    }
    if (t.logitCap > 0) {
      writer.put(a + "final_logit_softcapping", (float) t.logitCap);
    }
    if (t.experts > 0) {
      writer.put(a + "expert_count", t.experts);
      writer.put(a + "expert_used_count", t.used);
      writer.put(a + "expert_feed_forward_length", t.inner);
    }
    try (Arena arena = Arena.ofShared()) {
      tensors.forEach(
          (name, rows) -> {
            float[] flat = new float[rows.length * rows[0].length];
            for (int i = 0; i < flat.length; i++) {
              flat[i] = (float) rows[i / rows[0].length][i % rows[0].length];
            }
            boolean vector = rows.length == 1 && !name.equals("token_embd.weight");
            List<Long> shape =
                vector
                    ? List.of((long) flat.length)
                    : name.contains("_exps")
                        ? List.of(
                            (long) rows[0].length,
                            (long) rows.length / traits.experts,
                            (long) traits.experts)
                        : List.of((long) rows[0].length, (long) rows.length);
            writer.tensor(
                name, TensorType.F32, shape, arena.allocateFrom(ValueLayout.JAVA_FLOAT, flat));
          });
      writer.write(file);
    }
  }

  /** Returns the logits of every position of a sequence. */
  double[][] logits(int[] tokens) {
    Traits t = traits;
    double[][] last = embeddings(tokens);
    double[][] logits = new double[last.length][];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = times(tensors.get(t.tied ? "token_embd.weight" : "output.weight"), last[i]);
      for (int j = 0; t.logitCap > 0 && j < logits[i].length; j++) {
        logits[i][j] = t.logitCap * Math.tanh(logits[i][j] / t.logitCap);
      }
    }
    return logits;
  }

  /** Returns the normalised last layer of every position of a sequence. */
  double[][] embeddings(int[] tokens) {
    Traits t = traits;
    int n = tokens.length;
    double[][] x = new double[n][];
    for (int i = 0; i < n; i++) {
      x[i] = tensors.get("token_embd.weight")[tokens[i]].clone();
      for (int j = 0; j < t.width; j++) {
        if (t.scaledEmbeddings) {
          x[i][j] *= Math.sqrt(t.width);
        }
        if (t.learnedPositions) {
          x[i][j] += tensors.get("position_embd.weight")[i][j];
        }
      }
    }
    for (int layer = 0; layer < t.layers; layer++) {
      String p = "blk." + layer + ".";
      double[][] attended = attention(p, layer, x);
      for (int i = 0; i < n; i++) {
        x[i] = plus(x[i], t.postNorms ? norm(p + "post_attention_norm", attended[i]) : attended[i]);
        double[] fed = feedForward(p, norm(p + "ffn_norm", x[i]));
        x[i] = plus(x[i], t.postNorms ? norm(p + "post_ffw_norm", fed) : fed);
      }
    }
    for (int i = 0; i < n; i++) {
      x[i] = norm("output_norm", x[i]);
    }
    return x;
  }

  private double[][] attention(String p, int layer, double[][] x) {
    Traits t = traits;
    int n = x.length;
    int queries = t.heads * t.headDim;
    int keys = t.kvHeads * t.headDim;
    boolean local = t.window > 0 && (t.pattern == 0 || (layer + 1) % t.pattern != 0);
    double[][] q = new double[n][];
    double[][] k = new double[n][];
    double[][] v = new double[n][];
    for (int i = 0; i < n; i++) {
      double[] normed = norm(p + "attn_norm", x[i]);
      if (t.fused) {
        double[] all = linear(p + "attn_qkv", normed);
        q[i] = Arrays.copyOfRange(all, 0, queries);
        k[i] = Arrays.copyOfRange(all, queries, queries + keys);
        v[i] = Arrays.copyOfRange(all, queries + keys, queries + 2 * keys);
      } else {
        q[i] = linear(p + "attn_q", normed);
        k[i] = linear(p + "attn_k", normed);
        v[i] = linear(p + "attn_v", normed);
      }
      prepare(p + "attn_q_norm", q[i], i, local);
      prepare(p + "attn_k_norm", k[i], i, local);
      if (t.halfCache) {
        half(k[i]);
        half(v[i]);
      }
    }
    double[][] out = new double[n][];
    for (int i = 0; i < n; i++) {
      double[] heads = new double[queries];
      for (int h = 0; h < t.heads; h++) {
        int kv = h / (t.heads / t.kvHeads);
        int from = local ? Math.max(0, i - t.window + 1) : 0;
        double[] weights = new double[i + 1];
        double sum = 0;
        for (int j = from; j <= i; j++) {
          double score = 0;
          for (int d = 0; d < t.headDim; d++) {
            score += q[i][h * t.headDim + d] * k[j][kv * t.headDim + d];
          }
          score /= Math.sqrt(t.headDim);
          if (t.scoreCap > 0) {
            score = t.scoreCap * Math.tanh(score / t.scoreCap);
          }
          weights[j] = Math.exp(score);
          sum += weights[j];
        }
        for (int j = from; j <= i; j++) {
          for (int d = 0; d < t.headDim; d++) {
            heads[h * t.headDim + d] += weights[j] / sum * v[j][kv * t.headDim + d];
          }
        }
      }
      out[i] = linear(p + "attn_output", heads);
    }
    return out;
  }

  private static void half(double[] x) {
    for (int i = 0; i < x.length; i++) {
      x[i] = Float.float16ToFloat(Float.floatToFloat16((float) x[i]));
    }
  }

  /** Normalises each head where the family does, and rotates it. */
  private void prepare(String normName, double[] x, int position, boolean local) {
    Traits t = traits;
    for (int begin = 0; begin < x.length; begin += t.headDim) {
      double[] head = Arrays.copyOfRange(x, begin, begin + t.headDim);
      if (t.headNorms) {
        head = norm(normName, head);
      }
      if (!t.learnedPositions) {
        head = rotate(head, position, local);
      }
      System.arraycopy(head, 0, x, begin, t.headDim);
    }
  }

  private double[] rotate(double[] head, int position, boolean local) {
    Traits t = traits;
    int half = t.headDim / 2;
    double[] out = new double[t.headDim];
    boolean own = local && t.localRopeBase > 0;
    double base = own ? t.localRopeBase : t.ropeBase;
    for (int i = 0; i < half; i++) {
      double theta = Math.pow(base, -2.0 * i / t.headDim);
      double magnitude = own ? 1 : t.attentionFactor;
      if (!own) {
        if (t.divisors.length > 0) {
          theta /= (float) t.divisors[i];
        }
        theta /= t.linear;
        if (t.yarn != 1) {
          // Peng et al. 2023: keep what turns more than 32 times, stretch what turns less than
          // once.
          double low = Math.floor(yarnIndex(32, base));
          double high = Math.ceil(yarnIndex(1, base));
          double ramp = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
          theta = theta / t.yarn * ramp + theta * (1 - ramp);
          magnitude = 0.1 * Math.log(t.yarn) + 1;
        }
      }
      double cos = Math.cos(position * theta) * magnitude;
      double sin = Math.sin(position * theta) * magnitude;
      int a = t.halves ? i : 2 * i;
      int b = t.halves ? i + half : 2 * i + 1;
      out[a] = head[a] * cos - head[b] * sin;
      out[b] = head[a] * sin + head[b] * cos;
    }
    return out;
  }

  private double yarnIndex(double turns, double base) {
    Traits t = traits;
    double index = t.headDim * Math.log(t.original / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    return Math.min(t.headDim - 1, Math.max(0, index));
  }

  private double[] feedForward(String p, double[] x) {
    Traits t = traits;
    if (t.experts > 0) {
      return mixture(p, x);
    }
    double[] up = linear(p + "ffn_up", x);
    double[] inner = new double[t.inner];
    double[] gate = t.gated && !t.fused ? linear(p + "ffn_gate", x) : up;
    for (int i = 0; i < t.inner; i++) {
      inner[i] =
          !t.gated
              ? activate(up[i])
              : t.fused ? activate(up[i]) * up[t.inner + i] : activate(gate[i]) * up[i];
    }
    return linear(p + "ffn_down", inner);
  }

  private double[] mixture(String p, double[] x) {
    Traits t = traits;
    double[] scores = times(tensors.get(p + "ffn_gate_inp.weight"), x);
    Integer[] order = new Integer[t.experts];
    for (int i = 0; i < t.experts; i++) {
      order[i] = i;
    }
    Arrays.sort(order, (a, b) -> Double.compare(scores[b], scores[a]));
    double sum = 0;
    for (int i = 0; i < t.used; i++) {
      sum += Math.exp(scores[order[i]]);
    }
    double[] out = new double[t.width];
    for (int i = 0; i < t.used; i++) {
      int e = order[i];
      double[] gate = times(part(p + "ffn_gate_exps.weight", e, t.inner), x);
      double[] up = times(part(p + "ffn_up_exps.weight", e, t.inner), x);
      for (int j = 0; j < t.inner; j++) {
        gate[j] = activate(gate[j]) * up[j];
      }
      double[] down = times(part(p + "ffn_down_exps.weight", e, t.width), gate);
      for (int j = 0; j < t.width; j++) {
        out[j] += Math.exp(scores[e]) / sum * down[j];
      }
    }
    return out;
  }

  private double[][] part(String name, int expert, int rows) {
    return Arrays.copyOfRange(tensors.get(name), expert * rows, (expert + 1) * rows);
  }

  private double activate(double x) {
    return traits.gelu
        ? x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : x / (1 + Math.exp(-x));
  }

  private double[] norm(String name, double[] x) {
    double mean = 0;
    double square = 0;
    for (double value : x) {
      mean += value / x.length;
    }
    if (!traits.layerNorm) {
      mean = 0;
    }
    for (double value : x) {
      square += (value - mean) * (value - mean) / x.length;
    }
    double[] out = new double[x.length];
    double[] weight = tensors.get(name + ".weight")[0];
    for (int i = 0; i < x.length; i++) {
      out[i] = (x[i] - mean) / Math.sqrt(square + 1e-5f) * weight[i];
      if (traits.layerNorm) {
        out[i] += tensors.get(name + ".bias")[0][i];
      }
    }
    return out;
  }

  private double[] linear(String name, double[] x) {
    double[] y = times(tensors.get(name + ".weight"), x);
    double[][] bias = tensors.get(name + ".bias");
    return bias == null ? y : plus(y, bias[0]);
  }

  private static double[] times(double[][] matrix, double[] x) {
    double[] y = new double[matrix.length];
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += matrix[i][j] * x[j];
      }
    }
    return y;
  }

  private static double[] plus(double[] a, double[] b) {
    double[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }
}
