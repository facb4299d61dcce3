package io.smallmind.training;

import io.smallmind.convert.ModelShape;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.model.Architecture;
import io.smallmind.model.ModelConfig;
import io.smallmind.model.RopeConfig;

/**
 * The sizes of a network that can be trained.
 *
 * @param architecture LLAMA or GPT2
 * @param vocabulary number of tokens
 * @param context most positions
 * @param length values per token between layers
 * @param layers number of blocks
 * @param heads query heads
 * @param kvHeads key and value heads; divides heads
 * @param headDim values per head; even
 * @param inner values per token inside a feed-forward block
 * @param ropeBase frequencies are ropeBase^(−2i / headDim)
 * @param epsilon added to the variance by norms
 * @param tied whether the token embeddings are the output's weights too
 */
public record NetworkConfig(
    Architecture architecture,
    int vocabulary,
    int context,
    int length,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int inner,
    double ropeBase,
    float epsilon,
    boolean tied) {
  private static final float USUAL_EPSILON = 1e-5f;

  /** Checks the sizes. */
  public NetworkConfig {
    if (architecture != Architecture.LLAMA && architecture != Architecture.GPT2) {
      throw new UnsupportedFormatException(
          "models of family " + architecture.id() + " can't be trained; llama and gpt2 can");
    }
    if (vocabulary < 2 || context < 2 || length < 1 || layers < 1 || inner < 1) {
      throw new BadArgumentException(
          "vocabulary "
              + vocabulary
              + ", context "
              + context
              + ", length "
              + length
              + ", layers "
              + layers
              + ", inner length "
              + inner
              + ": choose at least 2, 2, 1, 1, 1");
    }
    if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0 || headDim < 2 || headDim % 2 != 0) {
      throw new BadArgumentException(
          heads
              + " heads of "
              + headDim
              + " values, "
              + kvHeads
              + " of keys: the latter must divide the former, and the values be even");
    }
    if (architecture == Architecture.GPT2 && (kvHeads != heads || heads * headDim != length)) {
      throw new BadArgumentException("gpt2 has one key head per head, and heads fill the length");
    }
  }

  /**
   * Returns the sizes of a named shape with another vocabulary and context.
   *
   * @throws UnsupportedFormatException if it has experts, or its family can't be trained
   */
  public static NetworkConfig of(ModelShape shape, int vocabulary, int context) {
    if (shape.experts() > 0) {
      throw new UnsupportedFormatException(shape.name() + " has experts, which can't be trained");
    }
    return new NetworkConfig(
        shape.architecture(),
        vocabulary,
        context,
        shape.length(),
        shape.layers(),
        shape.heads(),
        shape.kvHeads(),
        shape.headDim(),
        shape.inner(),
        shape.ropeBase(),
        USUAL_EPSILON,
        shape.tied());
  }

  /**
   * Reads the sizes of a model file.
   *
   * @throws UnsupportedFormatException if such a model can't be trained
   */
  public static NetworkConfig of(GgufFile file) {
    ModelConfig model = ModelConfig.of(file);
    boolean stretched =
        model.rope().scaling() != RopeConfig.Scaling.NONE
            || model.rope().attentionFactor() != 1
            || file.findTensor("rope_freqs.weight") != null;
    boolean rotatesPart =
        model.architecture().ropePairing() != null && model.rope().dimensions() != model.headDim();
    if (model.experts() > 0 || model.window() > 0 || stretched || rotatesPart || isBiased(file)) {
      throw new UnsupportedFormatException(
          file.path()
              + ": models with experts, sliding windows, stretched or partial RoPE, or biases in a"
              + " llama model can't be trained");
    }
    return new NetworkConfig(
        model.architecture(),
        model.vocabularySize(),
        model.contextLength(),
        model.embeddingLength(),
        model.layers(),
        model.heads(),
        model.kvHeads(),
        model.headDim(),
        model.feedForwardLength(),
        model.rope().base(),
        model.normEpsilon(),
        file.findTensor("output.weight") == null);
  }

  private static boolean isBiased(GgufFile file) {
    return file.metadata().string("general.architecture").equals(Architecture.LLAMA.id())
        && file.tensors().stream().map(GgufTensor::name).anyMatch(name -> name.endsWith(".bias"));
  }

  /** Returns the length of the queries of a token. */
  int queryLength() {
    return heads * headDim;
  }

  /** Returns the length of the keys, or the values, of a token. */
  int keyLength() {
    return kvHeads * headDim;
  }

  /** Writes what inference must know. */
  void put(GgufWriter writer) {
    String prefix = architecture.id() + ".";
    boolean rms = architecture.norm() == Architecture.Norm.RMS;
    writer
        .put("general.architecture", architecture.id())
        .put(prefix + "vocab_size", vocabulary)
        .put(prefix + "context_length", context)
        .put(prefix + "embedding_length", length)
        .put(prefix + "block_count", layers)
        .put(prefix + "feed_forward_length", inner)
        .put(prefix + "attention.head_count", heads)
        .put(prefix + "attention.head_count_kv", kvHeads)
        .put(
            prefix + (rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"),
            GgufValue.float32(epsilon));
    if (architecture.ropePairing() != null) {
      writer
          .put(prefix + "attention.key_length", headDim)
          .put(prefix + "attention.value_length", headDim)
          .put(prefix + "rope.dimension_count", headDim)
          .put(prefix + "rope.freq_base", GgufValue.float32((float) ropeBase));
    }
  }
}
