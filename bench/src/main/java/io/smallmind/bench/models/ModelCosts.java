package io.smallmind.bench.models;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.model.PassObserver.Step;
import io.smallmind.tensor.TensorType;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the steps of a pass cost at least: operations, and the bytes of weights, keys and values
 * that are read. What passes between steps stays in caches and is not counted.
 */
final class ModelCosts {
  private final Map<Step, Double> operations = new EnumMap<>(Step.class);
  private final Map<Step, Double> bytes = new EnumMap<>(Step.class);
  private final LimitKind limit;

  private ModelCosts(LimitKind limit) {
    this.limit = limit;
  }

  /**
   * Counts a file's tensors.
   *
   * @param rows tokens of a pass, of which each is multiplied with every weight
   * @param outputs rows whose scores are computed
   * @param context tokens that a row sees, on average
   * @param passes that make up a call; rows is of all of them
   */
  static ModelCosts of(
      ModelFile file, int rows, int outputs, double context, double passes, TensorType cache) {
    ModelCosts costs = new ModelCosts(file.limit());
    try (GgufFile gguf = GgufFile.open(file.path())) {
      String output =
          gguf.findTensor("output.weight") == null ? "token_embd.weight" : "output.weight";
      for (GgufTensor tensor : gguf.tensors()) {
        Step step = tensor.name().equals(output) ? Step.OUTPUT : step(tensor);
        if (step == null) {
          continue;
        }
        boolean expert = tensor.shape().size() == 3 && file.config().experts() > 0;
        double used = expert ? (double) file.config().expertsUsed() / file.config().experts() : 1;
        int times = step == Step.OUTPUT ? outputs : rows;
        costs.operations.merge(step, 2.0 * used * tensor.elements() * times, Double::sum);
        // Many rows choose many experts: then all are read.
        double read = Math.min(1, used * rows / passes);
        double reads = step == Step.OUTPUT ? Math.min(passes, outputs) : passes;
        costs.bytes.merge(step, (expert ? read : 1) * reads * tensor.bytes(), Double::sum);
      }
    }
    costs.operations.put(Step.ATTENTION, rows * file.attentionOperations(context));
    costs.bytes.put(Step.ATTENTION, passes * file.cacheBytes(context, cache));
    return costs;
  }

  private static @org.jspecify.annotations.Nullable Step step(GgufTensor tensor) {
    if (tensor.rows() == 1) {
      return null;
    }
    String name = tensor.name();
    if (name.matches("blk\\.\\d+\\.attn_(q|k|v|qkv)\\.weight")) {
      return Step.ATTENTION_INPUTS;
    }
    if (name.endsWith(".attn_output.weight")) {
      return Step.ATTENTION_OUTPUT;
    }
    if (name.matches("blk\\.\\d+\\.ffn_(gate|up|down)_exps\\.weight")
        || name.endsWith(".ffn_gate_inp.weight")) {
      return Step.EXPERTS;
    }
    if (name.matches("blk\\.\\d+\\.ffn_(gate|up)\\.weight")) {
      return Step.FEED_FORWARD_INPUTS;
    }
    return name.endsWith(".ffn_down.weight") ? Step.FEED_FORWARD_OUTPUT : null;
  }

  double operations(Step step) {
    return operations.getOrDefault(step, 0.0);
  }

  double bytes(Step step) {
    return bytes.getOrDefault(step, 0.0);
  }

  /** Attention works on floats. */
  LimitKind limit(Step step) {
    return step == Step.ATTENTION ? LimitKind.FMA : limit;
  }
}
