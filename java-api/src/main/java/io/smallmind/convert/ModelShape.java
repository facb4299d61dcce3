package io.smallmind.convert;

import io.smallmind.error.BadArgumentException;
import io.smallmind.model.Architecture;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a model, by which a synthetic one is made.
 *
 * @param name of the shape
 * @param architecture the family
 * @param vocabulary number of tokens
 * @param context positions
 * @param length values per token between layers
 * @param layers number of blocks
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headDim values per head
 * @param inner values per token inside a feed-forward block, or inside one expert
 * @param ropeBase frequencies are ropeBase^(−2i / headDim)
 * @param tied whether the token embeddings are the output's weights too
 * @param experts number of experts per layer; 0 for a plain model
 */
public record ModelShape(
    String name,
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
    boolean tied,
    int experts) {

  /** All shapes with a name: those of well-known models, and a tiny one of every family. */
  public static final List<ModelShape> ALL =
      List.of(
          llama("stories15m", 32_000, 256, 288, 6, 6, 6, 768, 10_000, true),
          llama("smollm2-135m", 49_152, 8_192, 576, 30, 9, 3, 1_536, 100_000, true),
          llama("tinyllama-1.1b", 32_000, 2_048, 2_048, 22, 32, 4, 5_632, 10_000, false),
          llama("llama3.2-1b", 128_256, 131_072, 2_048, 16, 32, 8, 8_192, 500_000, true),
          llama("llama3-8b", 128_256, 8_192, 4_096, 32, 32, 8, 14_336, 500_000, false),
          llama("llama3-70b", 128_256, 8_192, 8_192, 80, 64, 8, 28_672, 500_000, false),
          new ModelShape(
              "qwen2.5-0.5b",
              Architecture.QWEN2,
              151_936,
              32_768,
              896,
              24,
              14,
              2,
              64,
              4_864,
              1_000_000,
              true,
              0),
          llama("smallmind-stories", 2_048, 256, 256, 4, 4, 2, 768, 10_000, true),
          gpt2("smallmind-30m", 8_192, 1_024, 512, 8, 8),
          gpt2("smallmind-small", 256, 64, 128, 2, 4),
          gpt2("smallmind-medium", 512, 128, 256, 4, 8),
          tiny("tiny-llama", Architecture.LLAMA, 0),
          tiny("tiny-mixtral", Architecture.LLAMA, 4),
          tiny("tiny-qwen2", Architecture.QWEN2, 0),
          tiny("tiny-qwen3", Architecture.QWEN3, 0),
          tiny("tiny-qwen3moe", Architecture.QWEN3MOE, 4),
          tiny("tiny-gemma2", Architecture.GEMMA2, 0),
          tiny("tiny-gemma3", Architecture.GEMMA3, 0),
          tiny("tiny-phi3", Architecture.PHI3, 0),
          gpt2("tiny-gpt2", 512, 256, 256, 2, 4));

  /**
   * Returns the shape of this name.
   *
   * @throws BadArgumentException if there is none
   */
  public static ModelShape byName(String name) {
    for (ModelShape shape : ALL) {
      if (shape.name.equals(name)) {
        return shape;
      }
    }
    throw new BadArgumentException(
        "unknown shape '"
            + name
            + "'; choose one of "
            + ALL.stream().map(ModelShape::name).collect(Collectors.joining(", ")));
  }

  private static ModelShape llama(
      String name,
      int vocabulary,
      int context,
      int length,
      int layers,
      int heads,
      int kvHeads,
      int inner,
      double ropeBase,
      boolean tied) {
    return new ModelShape(
        name,
        Architecture.LLAMA,
        vocabulary,
        context,
        length,
        layers,
        heads,
        kvHeads,
        length / heads,
        inner,
        ropeBase,
        tied,
        0);
  }

  private static ModelShape gpt2(
      String name, int vocabulary, int context, int length, int layers, int heads) {
    return new ModelShape(
        name,
        Architecture.GPT2,
        vocabulary,
        context,
        length,
        layers,
        heads,
        heads,
        length / heads,
        4 * length,
        10_000,
        true,
        0);
  }

  private static ModelShape tiny(String name, Architecture architecture, int experts) {
    return new ModelShape(
        name, architecture, 512, 256, 256, 2, 4, 2, 64, 512, 10_000, experts == 0, experts);
  }
}
