package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.SessionOptions;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.kernels.Kernels;
import io.smallmind.model.ModelConfig;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a model will take while it runs.
 *
 * @param backend whose layout of the weights was counted
 * @param mappedBytes tensors of the file, as pages that the system may drop
 * @param packedBytes weights laid out for the backend
 * @param cacheBytesPerToken keys and values of one token, F16
 * @param contextLength tokens of a session
 */
record MemoryEstimate(
    String backend,
    long mappedBytes,
    long packedBytes,
    long cacheBytesPerToken,
    int contextLength) {

  static MemoryEstimate of(
      GgufFile file, ModelConfig config, Kernels kernels, @Nullable Integer context) {
    boolean tied = file.findTensor("output.weight") == null;
    long mapped = 0;
    long packed = 0;
    for (GgufTensor tensor : file.tensors()) {
      mapped += tensor.bytes();
      boolean lookedUp =
          tensor.name().startsWith("position_embd")
              || tensor.name().startsWith("token_embd") && !tied;
      if (tensor.shape().size() > 1 && tensor.type().hasCodec() && !lookedUp) {
        long bytes = kernels.packedBytes(tensor.type(), tensor.rows(), tensor.columns());
        // What is multiplied as stored is copied to huge pages, see PackedWeights.
        packed += bytes == 0 && Memory.hasHugePages() ? tensor.bytes() : bytes;
      }
    }
    long perToken =
        2L * config.layers() * config.kvHeads() * TensorType.F16.rowBytes(config.headDim());
    int usual = Math.min(config.contextLength(), SessionOptions.DEFAULT_CONTEXT);
    return new MemoryEstimate(
        kernels.name(), mapped, packed, perToken, context == null ? usual : context);
  }

  long cacheBytes() {
    return cacheBytesPerToken * contextLength;
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("backend", backend);
    json.addProperty("mappedBytes", mappedBytes);
    json.addProperty("packedBytes", packedBytes);
    json.addProperty("cacheBytesPerToken", cacheBytesPerToken);
    json.addProperty("contextLength", contextLength);
    json.addProperty("cacheBytes", cacheBytes());
    json.addProperty("totalBytes", packedBytes + cacheBytes());
    return json;
  }

  /** Returns names and values for people to read. */
  Map<String, String> rows() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put(
        "weights",
        Sizes.bytes(packedBytes)
            + " packed for "
            + backend
            + ", or "
            + Sizes.bytes(mappedBytes)
            + " of page cache with --no-pack");
    rows.put(
        "session",
        Sizes.bytes(cacheBytes())
            + " for "
            + contextLength
            + " tokens, "
            + Sizes.bytes(cacheBytesPerToken)
            + " each");
    return rows;
  }
}
