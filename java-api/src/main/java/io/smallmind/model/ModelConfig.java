package io.smallmind.model;

import io.smallmind.gguf.GgufFile;

/**
 * Everything about a model but its weights: sizes, and the choices that set families apart.
 *
 * @param architecture the family
 * @param name the model's own name, or the family's
 * @param vocabularySize number of tokens
 * @param contextLength positions that the model was trained on
 * @param embeddingLength values per token between layers
 * @param layers number of blocks
 * @param heads query heads
 * @param kvHeads key and value heads; divides heads
 * @param headDim values per head
 * @param feedForwardLength values per token inside a feed-forward block, or inside one expert
 * @param normEpsilon added to the variance
 * @param rope how positions turn queries and keys on layers that see the whole context
 * @param localRope the same on layers with a sliding window
 * @param attentionScale factor of the scores
 * @param attentionSoftCap scores s become cap · tanh(s / cap); 0 for none
 * @param logitSoftCap the same for logits
 * @param window how many positions a local layer sees, its own included; 0 for all
 * @param windowPattern of this many layers the last one is global; 1: none is; 0: all layers local
 * @param experts number of feed-forward blocks per layer to choose from; 0 for a plain one
 * @param expertsUsed how many of them each token takes
 */
public record ModelConfig(
    Architecture architecture,
    String name,
    int vocabularySize,
    int contextLength,
    int embeddingLength,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForwardLength,
    float normEpsilon,
    RopeConfig rope,
    RopeConfig localRope,
    float attentionScale,
    float attentionSoftCap,
    float logitSoftCap,
    int window,
    int windowPattern,
    int experts,
    int expertsUsed) {

  /**
   * Reads the configuration of a model file; its weights are not looked at.
   *
   * @throws io.smallmind.error.BadModelFileException if a value is missing or out of range
   * @throws io.smallmind.error.UnsupportedFormatException if the family is unknown
   */
  public static ModelConfig of(GgufFile file) {
    return ConfigReader.read(file);
  }

  /** Tells whether a layer sees only a window of the context. */
  public boolean isLocal(int layer) {
    return window > 0 && (windowPattern == 0 || layer % windowPattern < windowPattern - 1);
  }

  /** Returns the length of all queries of a token. */
  public int queryLength() {
    return heads * headDim;
  }

  /** Returns the length of all keys, or values, of a token. */
  public int keyLength() {
    return kvHeads * headDim;
  }
}
