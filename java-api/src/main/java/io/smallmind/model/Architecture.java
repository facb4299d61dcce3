package io.smallmind.model;

import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.UnaryOp;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The model families that can be run, and what the name of a family implies beyond the metadata of
 * a file. Everything else that sets models apart is read from the file: see {@link ModelConfig}.
 */
public enum Architecture {
  /** Llama 1 to 3 and relatives: Mistral, Mixtral, SmolLM, TinyLlama. */
  LLAMA("llama", Norm.RMS, RopePairing.ADJACENT, UnaryOp.SILU),
  /** Qwen 2 and 2.5: biases on the attention inputs. */
  QWEN2("qwen2", Norm.RMS, RopePairing.HALVES, UnaryOp.SILU),
  /** Qwen 3: heads of queries and keys are normalised. */
  QWEN3("qwen3", Norm.RMS, RopePairing.HALVES, UnaryOp.SILU),
  /** Qwen 3 with a mixture of experts. */
  QWEN3MOE("qwen3moe", Norm.RMS, RopePairing.HALVES, UnaryOp.SILU),
  /** Gemma 2: norms behind each block too, soft-capped scores, every other layer local. */
  GEMMA2("gemma2", Norm.RMS, RopePairing.HALVES, UnaryOp.GELU_TANH),
  /** Gemma 3: five of six layers local, with a RoPE base of their own. */
  GEMMA3("gemma3", Norm.RMS, RopePairing.HALVES, UnaryOp.GELU_TANH),
  /** Phi 3 and 3.5: queries, keys and values in one tensor, gate and up in another. */
  PHI3("phi3", Norm.RMS, RopePairing.HALVES, UnaryOp.SILU),
  /** GPT-2: layer norms, biases, learned positions, no gate. */
  GPT2("gpt2", Norm.LAYER, null, UnaryOp.GELU_TANH);

  /** How activations are normalised. */
  public enum Norm {
    /** By their root mean square. */
    RMS,
    /** By mean and variance, with a bias. */
    LAYER
  }

  private final String id;
  private final Norm norm;
  private final @Nullable RopePairing ropePairing;
  private final UnaryOp activation;

  Architecture(String id, Norm norm, @Nullable RopePairing ropePairing, UnaryOp activation) {
    this.id = id;
    this.norm = norm;
    this.ropePairing = ropePairing;
    this.activation = activation;
  }

  /** Returns the value of {@code general.architecture} that names this family. */
  public String id() {
    return id;
  }

  /** Returns how activations are normalised. */
  public Norm norm() {
    return norm;
  }

  /** Returns which values of a head RoPE pairs, or null if positions are learned. */
  public @Nullable RopePairing ropePairing() {
    return ropePairing;
  }

  /** Returns the activation function of the feed-forward block. */
  public UnaryOp activation() {
    return activation;
  }

  /** Tells whether the feed-forward block multiplies an activated gate by a second projection. */
  public boolean isGated() {
    return this != GPT2;
  }

  /** Tells whether embeddings are scaled by the square root of their length. */
  public boolean scalesEmbeddings() {
    return isGemma();
  }

  /** Tells whether this is one of the Gemma families. */
  boolean isGemma() {
    return this == GEMMA2 || this == GEMMA3;
  }

  /**
   * Returns the family of this name.
   *
   * @throws UnsupportedFormatException if there is none; the message lists those there are
   */
  public static Architecture byId(String file, String id) {
    for (Architecture architecture : values()) {
      if (architecture.id.equals(id)) {
        return architecture;
      }
    }
    throw new UnsupportedFormatException(
        file
            + ": general.architecture = '"
            + id
            + "' is not supported; supported are "
            + Arrays.stream(values()).map(Architecture::id).collect(Collectors.joining(", ")));
  }
}
