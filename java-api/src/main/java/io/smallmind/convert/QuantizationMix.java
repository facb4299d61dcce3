package io.smallmind.convert;

import io.smallmind.error.BadArgumentException;
import io.smallmind.tensor.TensorType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A recipe that gives every tensor of a model its type: most get the base type, and those where
 * errors hurt most a better one.
 *
 * <p>Source: the recipes and file type numbers of llama.cpp ({@code llama_ftype}, {@code
 * llama_tensor_get_type}), without importance matrices.
 */
public enum QuantizationMix {
  /** 32-bit floats. */
  F32(0, TensorType.F32),
  /** 16-bit floats. */
  F16(1, TensorType.F16),
  /** The upper halves of 32-bit floats. */
  BF16(32, TensorType.BF16),
  /** 8 bits. */
  Q8_0(7, TensorType.Q8_0),
  /** 4 bits. */
  Q4_0(2, TensorType.Q4_0),
  /** 4 bits with minimums. */
  Q4_1(3, TensorType.Q4_1),
  /** 5 bits. */
  Q5_0(8, TensorType.Q5_0),
  /** 5 bits with minimums. */
  Q5_1(9, TensorType.Q5_1),
  /** 2 bits, and 3 or 4 where it hurts. */
  Q2_K(10, TensorType.Q2_K),
  /** 3 bits throughout. */
  Q3_K_S(11, TensorType.Q3_K),
  /** 3 bits, and 4 or 5 where it hurts. */
  Q3_K_M(12, TensorType.Q3_K),
  /** 3 bits, and 5 where it hurts. */
  Q3_K_L(13, TensorType.Q3_K),
  /** 4 bits, and 5 in the first layers. */
  Q4_K_S(14, TensorType.Q4_K),
  /** 4 bits, and 6 where it hurts: the usual choice. */
  Q4_K_M(15, TensorType.Q4_K),
  /** 5 bits throughout. */
  Q5_K_S(16, TensorType.Q5_K),
  /** 5 bits, and 6 where it hurts. */
  Q5_K_M(17, TensorType.Q5_K),
  /** 6 bits throughout. */
  Q6_K(18, TensorType.Q6_K),
  /** 4 bits through a table of levels. */
  IQ4_NL(25, TensorType.IQ4_NL),
  /** 4 bits through a table of levels, with smaller scales. */
  IQ4_XS(30, TensorType.IQ4_XS),
  /** 4-bit floats. */
  MXFP4(38, TensorType.MXFP4);

  /** Mixtral's number of experts: attention is a small share of it and gets 8 bits. */
  private static final int MIXTRAL_EXPERTS = 8;

  private static final int MANY_QUERIES_PER_KEY = 4;

  private final int fileType;
  private final TensorType base;

  QuantizationMix(int fileType, TensorType base) {
    this.fileType = fileType;
    this.base = base;
  }

  /**
   * What a recipe must know of a model.
   *
   * @param layers number of blocks
   * @param queriesPerKey query heads that share a key head
   * @param experts number of experts; 0 for a plain model
   * @param tied whether the token embeddings are the output's weights too
   */
  public record Model(int layers, int queriesPerKey, int experts, boolean tied) {}

  /** Returns the number in {@code general.file_type}. */
  public int fileType() {
    return fileType;
  }

  /** Returns the type that most tensors get. */
  public TensorType base() {
    return base;
  }

  /**
   * Returns the recipe of this name, whatever the case; Q3_K, Q4_K and Q5_K mean the medium ones.
   *
   * @throws BadArgumentException if there is none
   */
  public static QuantizationMix byName(String name) {
    String wanted = name.toUpperCase(Locale.ROOT);
    for (QuantizationMix mix : values()) {
      if (mix.name().equals(wanted) || mix.name().equals(wanted + "_M")) {
        return mix;
      }
    }
    throw new BadArgumentException(
        "unknown type '"
            + name
            + "'; choose one of "
            + Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", ")));
  }

  /** Tells whether tensors of this name are weights of matmuls, and not better kept as they are. */
  static boolean applies(String name, int dimensions) {
    return dimensions >= 2
        && name.endsWith("weight")
        && !name.contains("_norm.")
        && !name.contains("ffn_gate_inp")
        && !name.startsWith("position_embd")
        && !name.startsWith("token_types");
  }

  /**
   * Returns the type of a weight tensor.
   *
   * @param name of the tensor
   * @param columns length of a row in elements
   * @param pure give every tensor the base type
   */
  public TensorType typeOf(String name, long columns, Model model, boolean pure) {
    return fitting(pure ? base : preferred(name, model), columns);
  }

  private TensorType preferred(String name, Model model) {
    if (!base.isQuantized()) {
      return base;
    }
    if (name.equals("output.weight") || name.equals("token_embd.weight") && model.tied()) {
      return this == Q8_0 || this == MXFP4 ? TensorType.Q8_0 : TensorType.Q6_K;
    }
    if (!name.startsWith("blk.")) {
      return base;
    }
    int dot = name.indexOf('.', 4);
    int layer;
    try {
      layer = Integer.parseInt(name.substring(4, Math.max(4, dot)));
    } catch (NumberFormatException e) {
      return base;
    }
    String part = name.substring(dot + 1);
    if (part.startsWith("attn_v.")) {
      return values(layer, model);
    }
    if (part.startsWith("attn_k.") && model.experts() == MIXTRAL_EXPERTS) {
      return TensorType.Q8_0;
    }
    if (part.startsWith("ffn_down")) {
      return down(layer, model.layers());
    }
    if (part.startsWith("attn_output.")) {
      return attentionOutput(model);
    }
    if (part.startsWith("attn_qkv.")) {
      return switch (this) {
        case Q3_K_M, Q3_K_L -> TensorType.Q4_K;
        case Q4_K_M -> TensorType.Q5_K;
        case Q5_K_M -> TensorType.Q6_K;
        default -> base;
      };
    }
    return base;
  }

  private TensorType values(int layer, Model model) {
    if (model.experts() == MIXTRAL_EXPERTS) {
      return TensorType.Q8_0;
    }
    boolean grouped = model.queriesPerKey() >= MANY_QUERIES_PER_KEY;
    return switch (this) {
      case Q2_K -> grouped ? TensorType.Q4_K : TensorType.Q3_K;
      case Q3_K_M -> layer < 2 ? TensorType.Q5_K : TensorType.Q4_K;
      case Q3_K_L -> TensorType.Q5_K;
      case Q4_K_S -> layer < 4 ? TensorType.Q5_K : base;
      case Q4_K_M, Q5_K_M -> isSensitive(layer, model.layers()) ? TensorType.Q6_K : base;
      case IQ4_NL, IQ4_XS -> grouped ? TensorType.Q5_K : base;
      default -> base;
    };
  }

  private TensorType down(int layer, int layers) {
    return switch (this) {
      case Q2_K -> TensorType.Q3_K;
      case Q3_K_M -> layer < layers / 16 ? TensorType.Q5_K : TensorType.Q4_K;
      case Q3_K_L -> TensorType.Q5_K;
      case Q4_K_S, IQ4_NL, IQ4_XS -> layer < layers / 8 ? TensorType.Q5_K : base;
      case Q4_K_M, Q5_K_M -> isSensitive(layer, layers) ? TensorType.Q6_K : base;
      default -> base;
    };
  }

  private TensorType attentionOutput(Model model) {
    if (model.experts() == MIXTRAL_EXPERTS) {
      return switch (this) {
        case Q2_K, Q3_K_S, Q3_K_M, Q4_K_S, Q4_K_M, IQ4_NL, IQ4_XS -> TensorType.Q5_K;
        default -> base;
      };
    }
    return switch (this) {
      case Q2_K -> TensorType.Q3_K;
      case Q3_K_M -> TensorType.Q4_K;
      case Q3_K_L -> TensorType.Q5_K;
      default -> base;
    };
  }

  /** The first and last eighth of the layers, and every third one between. */
  private static boolean isSensitive(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }

  /** Returns a type of similar size whose blocks fit into a row. */
  private static TensorType fitting(TensorType wanted, long columns) {
    TensorType type = wanted;
    if (columns % type.blockLength() != 0) {
      type =
          switch (type) {
            case Q2_K, Q3_K, IQ4_XS -> TensorType.IQ4_NL;
            case Q4_K -> TensorType.Q5_0;
            case Q5_K -> TensorType.Q5_1;
            case Q6_K -> TensorType.Q8_0;
            default -> TensorType.F16;
          };
    }
    return columns % type.blockLength() == 0 ? type : TensorType.F16;
  }
}
