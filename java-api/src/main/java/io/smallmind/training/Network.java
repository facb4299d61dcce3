package io.smallmind.training;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A transformer on a tape: its weights under the names of model files, and the operations from
 * tokens to the loss. Queries, keys and values are one weight ({@code attn_qkv}), and so are gate
 * and up ({@code ffn_gate_up}), gate first: fewer and larger products.
 */
final class Network {
  private static final double DEVIATION = 0.02;

  final NetworkConfig config;
  final int windows;
  final int context;

  /** (windows · context): what the network reads. */
  final int[] tokens;

  /** (windows · context): what it should have expected behind each token. */
  final int[] targets;

  final ParameterSet parameters;

  /** The adapters that are trained instead of the parameters, or null. */
  final @Nullable LoraAdapters adapters;

  private final Tape tape;
  private final double dropout;
  private final CrossEntropyOp loss;
  private Tensor logits;

  /**
   * Records a network.
   *
   * @param members of the team that will run it
   * @param arena holds all its memory
   * @param windows texts per batch
   * @param context tokens per text
   * @param dropout share of the values that fall behind embeddings and blocks
   * @param recomputes keep the activations of one layer at a time
   * @param accumulation batches whose gradients are averaged in a step
   * @param lora what adapters to train, or null to train all weights
   */
  Network(
      NetworkConfig config,
      Kernels kernels,
      int members,
      Arena arena,
      int windows,
      int context,
      double dropout,
      boolean recomputes,
      int accumulation,
      @Nullable LoraConfig lora) {
    this.config = config;
    this.windows = windows;
    this.context = context;
    this.dropout = dropout;
    tokens = new int[windows * context];
    targets = new int[windows * context];
    parameters = new ParameterSet(specs(config), lora != null, arena);
    adapters = lora == null ? null : new LoraAdapters(parameters, lora, arena);
    tape = new Tape(kernels, members, arena, recomputes);
    Tensor stream =
        tape.embedding(get("token_embd.weight"), find("position_embd.weight"), tokens, context);
    stream = tape.dropout(stream, dropout, true);
    for (int layer = 0; layer < config.layers(); layer++) {
      tape.section();
      stream = layer("blk." + layer + ".", stream);
    }
    tape.section();
    Tensor normed = norm(stream, "output_norm");
    logits = tape.matmul(normed, get(outputName(config)), null);
    loss = tape.crossEntropy(logits, targets, 1f / tokens.length / accumulation);
    tape.seal();
  }

  static String outputName(NetworkConfig config) {
    return config.tied() ? "token_embd.weight" : "output.weight";
  }

  /** Lists the weights of a network. */
  static List<Parameter.Spec> specs(NetworkConfig config) {
    List<Parameter.Spec> specs = new ArrayList<>();
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    int length = config.length();
    int inner = config.inner();
    specs.add(Parameter.Spec.matrix("token_embd.weight", config.vocabulary(), length, DEVIATION));
    if (gpt2) {
      specs.add(Parameter.Spec.matrix("position_embd.weight", config.context(), length, DEVIATION));
    }
    // What blocks add to the stream grows with their number (Radford et al. 2019).
    double residual = DEVIATION / Math.sqrt(2.0 * config.layers());
    for (int layer = 0; layer < config.layers(); layer++) {
      String prefix = "blk." + layer + ".";
      int qkv = config.queryLength() + 2 * config.keyLength();
      addNorm(specs, prefix + "attn_norm", length, gpt2);
      addMatrix(specs, prefix + "attn_qkv", qkv, length, DEVIATION, gpt2);
      addMatrix(specs, prefix + "attn_output", length, config.queryLength(), residual, gpt2);
      addNorm(specs, prefix + "ffn_norm", length, gpt2);
      if (gpt2) {
        addMatrix(specs, prefix + "ffn_up", inner, length, DEVIATION, true);
      } else {
        addMatrix(specs, prefix + "ffn_gate_up", 2 * inner, length, DEVIATION, false);
      }
      addMatrix(specs, prefix + "ffn_down", length, inner, residual, gpt2);
    }
    addNorm(specs, "output_norm", length, gpt2);
    if (!config.tied()) {
      addMatrix(specs, "output", config.vocabulary(), length, DEVIATION, false);
    }
    return specs;
  }

  private static void addMatrix(
      List<Parameter.Spec> specs,
      String name,
      int rows,
      int columns,
      double deviation,
      boolean biased) {
    specs.add(Parameter.Spec.matrix(name + ".weight", rows, columns, deviation));
    if (biased) {
      specs.add(Parameter.Spec.vector(name + ".bias", rows, 0));
    }
  }

  private static void addNorm(List<Parameter.Spec> specs, String name, int length, boolean biased) {
    specs.add(Parameter.Spec.vector(name + ".weight", length, 1));
    if (biased) {
      specs.add(Parameter.Spec.vector(name + ".bias", length, 0));
    }
  }

  private Tensor layer(String prefix, Tensor stream) {
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    Tensor x = project(norm(stream, prefix + "attn_norm"), prefix + "attn_qkv");
    if (config.architecture().ropePairing() != null) {
      int turned = config.heads() + config.kvHeads();
      x =
          tape.rope(
              x,
              config.architecture().ropePairing(),
              turned,
              config.headDim(),
              context,
              config.ropeBase());
    }
    x = tape.attention(x, context, config.heads(), config.kvHeads(), config.headDim());
    x = tape.dropout(project(x, prefix + "attn_output"), dropout, false);
    Tensor middle = tape.sum(stream, x, false);
    x = norm(middle, prefix + "ffn_norm");
    x =
        gpt2
            ? tape.gelu(project(x, prefix + "ffn_up"))
            : tape.swiGlu(project(x, prefix + "ffn_gate_up"));
    x = tape.dropout(project(x, prefix + "ffn_down"), dropout, false);
    return tape.sum(middle, x, true);
  }

  private Tensor norm(Tensor x, String name) {
    Parameter weight = get(name + ".weight");
    Parameter bias = find(name + ".bias");
    return bias == null
        ? tape.rmsNorm(x, weight, config.epsilon())
        : tape.layerNorm(x, weight, bias, config.epsilon());
  }

  private Tensor project(Tensor x, String name) {
    Tensor y = tape.matmul(x, get(name + ".weight"), find(name + ".bias"));
    if (adapters != null) {
      adapters.apply(tape, x, name + ".weight", y);
    }
    return y;
  }

  private Parameter get(String name) {
    return parameters.get(name);
  }

  private @Nullable Parameter find(String name) {
    return parameters.find(name);
  }

  /** Returns what is trained: all weights, or the adapters. */
  ParameterSet trained() {
    return adapters == null ? parameters : adapters.parameters;
  }

  /** Says what the next passes are: see {@link Tape#begin}. */
  void begin(long seed, boolean training) {
    tape.begin(seed, training);
  }

  /** Computes the loss of {@link #tokens}; every member of the team calls it. */
  void forward(Team team, int member) {
    tape.forward(team, member);
  }

  /** Adds the loss's gradient to that of the weights; every member of the team calls it. */
  void backward(Team team, int member) {
    tape.backward(team, member);
  }

  /** Returns the mean loss of the last forward pass. */
  double meanLoss() {
    return loss.meanLoss();
  }

  /** Returns the sum of the losses of the first rows (tokens) of the last forward pass. */
  double sumOfLosses(int rows) {
    return loss.sumOfLosses(rows);
  }

  /** (windows · context, vocabulary): probabilities after a forward pass. */
  Tensor probabilities() {
    return logits;
  }
}
