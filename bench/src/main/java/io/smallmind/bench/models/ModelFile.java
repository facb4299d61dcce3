package io.smallmind.bench.models;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.model.ModelConfig;
import io.smallmind.tensor.TensorType;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A model's file, and what its tokens cost: the bytes and operations that no implementation can do
 * without.
 *
 * @param title for a person: a shape's name, or the file's
 * @param type for a person: the mix of tensor types
 * @param main the type of most of its weights
 * @param fileBytes of all its parts
 * @param weightBytes that every pass reads: all matrices but an embedding that is only looked up
 * @param layerOperations of a token's products with weights, but for the output's
 * @param outputOperations of the product that gives a token's scores
 * @param limit what many tokens at once are limited by
 */
public record ModelFile(
    Path path,
    String title,
    String type,
    TensorType main,
    ModelConfig config,
    long fileBytes,
    double weightBytes,
    double layerOperations,
    double outputOperations,
    LimitKind limit) {

  /**
   * Reads a file's tables.
   *
   * @throws io.smallmind.error.SmallMindException if it is no model
   */
  public static ModelFile of(Path path, String title, String type) {
    try (GgufFile file = GgufFile.open(path)) {
      ModelConfig config = ModelConfig.of(file);
      String output =
          file.findTensor("output.weight") == null ? "token_embd.weight" : "output.weight";
      double bytes = 0;
      double layers = 0;
      double outputs = 0;
      Map<TensorType, Long> bytesByType = new HashMap<>();
      for (GgufTensor tensor : file.tensors()) {
        if (tensor.rows() == 1 || isLookedUp(tensor.name(), output)) {
          continue;
        }
        double used =
            tensor.shape().size() == 3 && config.experts() > 0
                ? (double) config.expertsUsed() / config.experts()
                : 1;
        bytes += used * tensor.bytes();
        double operations = 2 * used * tensor.elements();
        if (tensor.name().equals(output)) {
          outputs += operations;
        } else {
          layers += operations;
        }
        bytesByType.merge(tensor.type(), tensor.bytes(), Long::sum);
      }
      TensorType main =
          bytesByType.entrySet().stream()
              .max(Map.Entry.comparingByValue())
              .map(Map.Entry::getKey)
              .orElse(TensorType.F32);
      return new ModelFile(
          path,
          title,
          type.isEmpty() ? main.name() : type,
          main,
          config,
          file.size(),
          bytes,
          layers,
          outputs,
          main.isQuantized() ? LimitKind.INT8_DOT : LimitKind.FMA);
    }
  }

  private static boolean isLookedUp(String name, String output) {
    return name.equals("position_embd.weight")
        || (name.equals("token_embd.weight") && !name.equals(output));
  }

  /** Returns the bytes of keys and values that attention of one token reads. */
  double cacheBytes(double context, TensorType cacheType) {
    double perToken = 2.0 * cacheType.rowBytes(config.headDim()) * config.kvHeads();
    return perToken * context * config.layers();
  }

  /** Returns the operations of one token's attention. */
  double attentionOperations(double context) {
    return 4.0 * config.queryLength() * context * config.layers();
  }
}
