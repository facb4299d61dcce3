package io.smallmind.model;

/** How the family of a {@link ReferenceModel} departs from Llama, and how large the model is. */
final class ReferenceTraits {
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
