package io.smallmind.model;

import io.smallmind.error.BadModelFileException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufTensor;
import org.jspecify.annotations.Nullable;

/** Reads a {@link ModelConfig} from the metadata of a GGUF file and checks every value. */
final class ConfigReader {
  private static final int MAX_CONTEXT = 1 << 24;
  private static final int MAX_LENGTH = 1 << 20;

  private final String file;
  private final GgufMetadata metadata;
  private final Architecture architecture;

  private ConfigReader(GgufFile file) {
    this.file = file.path().toString();
    metadata = file.metadata();
    architecture = Architecture.byId(this.file, metadata.string("general.architecture"));
  }

  /**
   * Reads the configuration of a model.
   *
   * @throws BadModelFileException if a value is missing or out of range
   * @throws io.smallmind.error.UnsupportedFormatException if the family is unknown
   */
  static ModelConfig read(GgufFile file) {
    return new ConfigReader(file).read(file.findTensor("token_embd.weight"));
  }

  private ModelConfig read(@Nullable GgufTensor embeddings) {
    if (embeddings == null) {
      throw new BadModelFileException(
          file + ": tensor token_embd.weight is missing; this is no language model");
    }
    int embeddingLength = size("embedding_length", MAX_LENGTH);
    int layers = size("block_count", 1 << 12);
    int heads = size("attention.head_count", 1 << 12);
    int kvHeads = size("attention.head_count_kv", heads, 1 << 12);
    if (heads % kvHeads != 0) {
      throw bad("attention.head_count_kv", kvHeads, "it must divide the " + heads + " heads");
    }
    if (!has("attention.key_length") && embeddingLength % heads != 0) {
      throw bad(
          "attention.head_count", heads, "it must divide the embedding length " + embeddingLength);
    }
    int headDim = size("attention.key_length", embeddingLength / heads, 1 << 12);
    int valueDim = size("attention.value_length", headDim, 1 << 12);
    if (valueDim != headDim) {
      throw bad("attention.value_length", valueDim, "it must equal the key length " + headDim);
    }
    int contextLength = size("context_length", MAX_CONTEXT);
    boolean rms = architecture.norm() == Architecture.Norm.RMS;
    double epsilon =
        real(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", 1e-5);
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw bad("attention.layer_norm_epsilon", epsilon, "it must be from 0 to 1");
    }
    int experts = metadata.has(key("expert_count")) ? count("expert_count", 0, 1 << 10) : 0;
    int expertsUsed = experts > 0 ? size("expert_used_count", 1 << 10) : 0;
    if (expertsUsed > experts) {
      throw bad("expert_used_count", expertsUsed, "there are only " + experts + " experts");
    }
    int feedForward =
        experts > 0 && has("expert_feed_forward_length")
            ? size("expert_feed_forward_length", MAX_LENGTH)
            : size("feed_forward_length", MAX_LENGTH);
    RopeConfig rope = rope(headDim, contextLength);
    int window = count("attention.sliding_window", 0, MAX_CONTEXT);
    return new ModelConfig(
        architecture,
        metadata.string("general.name", architecture.id()),
        Math.toIntExact(embeddings.rows()),
        contextLength,
        embeddingLength,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForward,
        (float) epsilon,
        rope,
        localRope(rope),
        (float) attentionScale(embeddingLength, layers, heads, headDim),
        cap("attn_logit_softcapping"),
        cap("final_logit_softcapping"),
        window,
        windowPattern(),
        experts,
        expertsUsed);
  }

  private RopeConfig rope(int headDim, int contextLength) {
    if (architecture.ropePairing() == null) {
      return new RopeConfig(0, 10_000, RopeConfig.Scaling.NONE, 1, contextLength, 1);
    }
    int dimensions = size("rope.dimension_count", headDim, headDim);
    if (dimensions % 2 != 0) {
      throw bad("rope.dimension_count", dimensions, "it must be even");
    }
    double base = real("rope.freq_base", 10_000);
    if (!(base > 1)) {
      throw bad("rope.freq_base", base, "it must be above 1");
    }
    String kind = metadata.string(key("rope.scaling.type"), "");
    double factor = real("rope.scaling.factor", 1);
    if (kind.isEmpty() && has("rope.scale_linear")) {
      kind = "linear";
      factor = real("rope.scale_linear", 1);
    }
    RopeConfig.Scaling scaling =
        switch (kind) {
          case "", "none", "longrope", "llama3" -> RopeConfig.Scaling.NONE;
          case "linear" -> RopeConfig.Scaling.LINEAR;
          case "yarn" -> RopeConfig.Scaling.YARN;
          default ->
              throw bad("rope.scaling.type", kind, "supported are none, linear, yarn, longrope");
        };
    if (!(factor > 0 && factor < 1e6)) {
      throw bad("rope.scaling.factor", factor, "it must be above 0");
    }
    double attention = real("rope.scaling.attn_factor", 1);
    if (!(attention > 0 && attention < 1e6)) {
      throw bad("rope.scaling.attn_factor", attention, "it must be above 0");
    }
    int original = size("rope.scaling.original_context_length", contextLength, MAX_CONTEXT);
    return new RopeConfig(dimensions, base, scaling, factor, original, attention);
  }

  /** Local layers of Gemma 3 keep the short context's base, unstretched. */
  private RopeConfig localRope(RopeConfig rope) {
    if (architecture != Architecture.GEMMA3) {
      return rope;
    }
    double base = real("rope.freq_base_swa", 10_000);
    return new RopeConfig(
        rope.dimensions(), base, RopeConfig.Scaling.NONE, 1, rope.originalContext(), 1);
  }

  private int windowPattern() {
    return switch (architecture) {
      case GEMMA2 -> 2;
      case GEMMA3 -> 6;
      default -> 0;
    };
  }

  /** Files do not say it: the two largest Gemma models scale by the embedding's share of a head. */
  private double attentionScale(int embeddingLength, int layers, int heads, int headDim) {
    boolean largestGemma =
        architecture == Architecture.GEMMA2 && layers == 46
            || architecture == Architecture.GEMMA3 && layers == 62;
    return 1 / Math.sqrt(largestGemma ? (double) embeddingLength / heads : headDim);
  }

  private float cap(String name) {
    double cap = real(name, 0);
    if (!(cap >= 0 && cap < 1e6)) {
      throw bad(name, cap, "it must not be negative");
    }
    return (float) cap;
  }

  private String key(String name) {
    return architecture.id() + "." + name;
  }

  private boolean has(String name) {
    return metadata.has(key(name));
  }

  private double real(String name, double otherwise) {
    return has(name) ? metadata.real(key(name)) : otherwise;
  }

  private int size(String name, int most) {
    return checked(name, metadata.integer(key(name)), 1, most);
  }

  private int size(String name, int otherwise, int most) {
    return has(name) ? size(name, most) : checked(name, otherwise, 1, most);
  }

  private int count(String name, int otherwise, int most) {
    return has(name) ? checked(name, metadata.integer(key(name)), 0, most) : otherwise;
  }

  private int checked(String name, long value, int least, int most) {
    if (value < least || value > most) {
      throw bad(name, value, "it must be from " + least + " to " + most);
    }
    return (int) value;
  }

  private BadModelFileException bad(String name, Object value, String remedy) {
    return new BadModelFileException(file + ": " + key(name) + " = " + value + ": " + remedy);
  }
}
