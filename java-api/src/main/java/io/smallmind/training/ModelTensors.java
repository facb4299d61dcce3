package io.smallmind.training;

import io.smallmind.error.BadModelFileException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.model.Architecture;
import io.smallmind.tensor.Codec;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * How a network's weights stand in a model file: some weights are several tensors there, one
 * holding its first rows, the next one those behind.
 */
final class ModelTensors {
  /** Rows of a weight under the name that a model file has for them. */
  record Part(String name, int rowBegin, int rows) {}

  private ModelTensors() {}

  /** Returns the tensors that a weight consists of. */
  static List<Part> parts(NetworkConfig config, Parameter.Spec spec) {
    String name = spec.name();
    if (config.architecture() != Architecture.LLAMA) {
      return List.of(new Part(name, 0, spec.rows()));
    }
    int queries = config.queryLength();
    int keys = config.keyLength();
    int inner = config.inner();
    if (name.contains("attn_qkv")) {
      return List.of(
          new Part(name.replace("attn_qkv", "attn_q"), 0, queries),
          new Part(name.replace("attn_qkv", "attn_k"), queries, keys),
          new Part(name.replace("attn_qkv", "attn_v"), queries + keys, keys));
    }
    if (name.contains("ffn_gate_up")) {
      return List.of(
          new Part(name.replace("ffn_gate_up", "ffn_gate"), 0, inner),
          new Part(name.replace("ffn_gate_up", "ffn_up"), inner, inner));
    }
    return List.of(new Part(name, 0, spec.rows()));
  }

  /** Announces all weights as F32 tensors; their memory must live until they are written. */
  static void put(NetworkConfig config, ParameterSet parameters, GgufWriter writer) {
    for (Parameter parameter : parameters.all()) {
      for (Part part : parts(config, parameter.spec)) {
        boolean vector = parameter.name().endsWith(".bias") || parameter.name().contains("_norm.");
        List<Long> shape =
            vector
                ? List.of((long) parameter.columns())
                : List.of((long) parameter.columns(), (long) part.rows());
        writer.tensor(part.name(), TensorType.F32, shape, rows(parameter, part));
      }
    }
  }

  static MemorySegment rows(Parameter parameter, Part part) {
    long row = 4L * parameter.columns();
    return parameter.value.asSlice(part.rowBegin() * row, part.rows() * row);
  }

  /**
   * Reads all weights of a model file, of whatever type.
   *
   * @throws BadModelFileException if a tensor is missing or has another shape
   */
  static void read(NetworkConfig config, ParameterSet parameters, GgufFile file) {
    for (Parameter parameter : parameters.all()) {
      for (Part part : parts(config, parameter.spec)) {
        decode(file, part.name(), parameter.columns(), rows(parameter, part));
      }
    }
  }

  /** Decodes a tensor of a file into memory of the same number of values. */
  static void decode(GgufFile file, String name, int columns, MemorySegment target) {
    GgufTensor tensor = file.tensor(name);
    long rows = target.byteSize() / 4 / columns;
    if (tensor.columns() != columns || tensor.rows() != rows) {
      throw new BadModelFileException(
          file.path()
              + ": tensor "
              + name
              + " has the shape "
              + tensor.shape()
              + "; the metadata asks for "
              + new ArrayList<>(List.of((long) columns, rows)));
    }
    if (!tensor.type().hasCodec()) {
      throw new UnsupportedFormatException(
          file.path() + ": tensor " + name + " is of type " + tensor.type() + ", which is unknown");
    }
    Codec codec = tensor.type().codec();
    MemorySegment source = file.data(tensor);
    long rowBytes = tensor.type().rowBytes(columns);
    float[] line = new float[columns];
    for (long row = 0; row < rows; row++) {
      codec.decode(source, row * rowBytes, line, 0, columns);
      Lines.write(line, target, 4 * row * columns, columns);
    }
  }
}
