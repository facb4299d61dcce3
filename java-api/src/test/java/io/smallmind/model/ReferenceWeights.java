package io.smallmind.model;

import io.smallmind.gguf.GgufWriter;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The random weights of a tiny model of any family, and the file that they make with it. */
final class ReferenceWeights {
  private final ReferenceTraits traits;
  private final Map<String, double[][]> tensors = new LinkedHashMap<>();
  private final Random random;

  ReferenceWeights(ReferenceTraits traits, long seed) {
    this.traits = traits;
    random = new Random(seed);
    ReferenceTraits t = traits;
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

  /** Returns the rows of a tensor; null if there is none of that name. */
  double @Nullable [][] find(String name) {
    return tensors.get(name);
  }

  /** Returns the rows of a tensor that there is. */
  double[][] get(String name) {
    return Objects.requireNonNull(tensors.get(name), name);
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
    ReferenceTraits t = traits;
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
}
