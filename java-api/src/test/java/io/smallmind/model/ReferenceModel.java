package io.smallmind.model;

import io.smallmind.gguf.GgufWriter;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A tiny random model of any family, and the plainest forward pass for it: double precision, the
 * whole sequence at once, no cache, no shared code with what it tests. Written from the families'
 * papers and published configurations.
 */
final class ReferenceModel {
  final ReferenceTraits traits;
  private final ReferenceWeights weights;

  ReferenceModel(ReferenceTraits traits, long seed) {
    this.traits = traits;
    weights = new ReferenceWeights(traits, seed);
  }

  /** Writes the model as a GGUF file in F32, without a tokenizer. */
  void write(Path file) {
    weights.write(file);
  }

  /** Writes the model as a GGUF file in F32, to which the writer may have something to add. */
  void write(Path file, GgufWriter writer) {
    weights.write(file, writer);
  }

  /** Returns the logits of every position of a sequence. */
  double[][] logits(int[] tokens) {
    ReferenceTraits t = traits;
    double[][] last = embeddings(tokens);
    double[][] logits = new double[last.length][];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = times(weights.get(t.tied ? "token_embd.weight" : "output.weight"), last[i]);
      for (int j = 0; t.logitCap > 0 && j < logits[i].length; j++) {
        logits[i][j] = t.logitCap * Math.tanh(logits[i][j] / t.logitCap);
      }
    }
    return logits;
  }

  /** Returns the normalised last layer of every position of a sequence. */
  double[][] embeddings(int[] tokens) {
    ReferenceTraits t = traits;
    int n = tokens.length;
    double[][] x = new double[n][];
    for (int i = 0; i < n; i++) {
      x[i] = weights.get("token_embd.weight")[tokens[i]].clone();
      for (int j = 0; j < t.width; j++) {
        if (t.scaledEmbeddings) {
          x[i][j] *= Math.sqrt(t.width);
        }
        if (t.learnedPositions) {
          x[i][j] += weights.get("position_embd.weight")[i][j];
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
    ReferenceTraits t = traits;
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
        double[] shares = new double[i + 1];
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
          shares[j] = Math.exp(score);
          sum += shares[j];
        }
        for (int j = from; j <= i; j++) {
          for (int d = 0; d < t.headDim; d++) {
            heads[h * t.headDim + d] += shares[j] / sum * v[j][kv * t.headDim + d];
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
    ReferenceTraits t = traits;
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
    ReferenceTraits t = traits;
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
    ReferenceTraits t = traits;
    double index = t.headDim * Math.log(t.original / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    return Math.min(t.headDim - 1, Math.max(0, index));
  }

  private double[] feedForward(String p, double[] x) {
    ReferenceTraits t = traits;
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
    ReferenceTraits t = traits;
    double[] scores = times(weights.get(p + "ffn_gate_inp.weight"), x);
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
    return Arrays.copyOfRange(weights.get(name), expert * rows, (expert + 1) * rows);
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
    double[] weight = weights.get(name + ".weight")[0];
    for (int i = 0; i < x.length; i++) {
      out[i] = (x[i] - mean) / Math.sqrt(square + 1e-5f) * weight[i];
      if (traits.layerNorm) {
        out[i] += weights.get(name + ".bias")[0][i];
      }
    }
    return out;
  }

  private double[] linear(String name, double[] x) {
    double[] y = times(weights.get(name + ".weight"), x);
    double[][] bias = weights.find(name + ".bias");
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
