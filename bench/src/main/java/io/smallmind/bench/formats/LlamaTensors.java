package io.smallmind.bench.formats;

import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.model.Architecture;
import io.smallmind.model.ModelConfig;
import io.smallmind.model.RopeConfig;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The tensors of a Llama-shaped GGUF file as all others store them: RoPE turns the halves of a head
 * against each other, where GGUF has the rows of queries and keys in another order, for pairs that
 * lie side by side.
 */
final class LlamaTensors {
  private final GgufFile file;
  private final ModelConfig config;

  /**
   * Looks at a file.
   *
   * @throws IOException if it is no such model, with the reason
   */
  LlamaTensors(GgufFile file) throws IOException {
    this.file = file;
    config = ModelConfig.of(file);
    boolean plain =
        config.architecture() == Architecture.LLAMA
            && config.experts() == 0
            && config.rope().scaling() == RopeConfig.Scaling.NONE
            && config.rope().dimensions() == config.headDim()
            && file.findTensor("rope_freqs.weight") == null;
    if (!plain) {
      throw new IOException("only plain Llama shapes are converted, not " + config.name());
    }
  }

  ModelConfig config() {
    return config;
  }

  /** Returns the name of the matrix that gives scores. */
  String output() {
    return file.findTensor("output.weight") == null ? "token_embd.weight" : "output.weight";
  }

  boolean isTied() {
    return output().equals("token_embd.weight");
  }

  /** Returns the type of the first layer's queries: that of most weights. */
  TensorType mainType() {
    return file.tensor("blk.0.attn_q.weight").type();
  }

  long rows(String name) {
    return file.tensor(name).rows();
  }

  long columns(String name) {
    return file.tensor(name).columns();
  }

  TensorType type(String name) {
    return file.tensor(name).type();
  }

  /** Decodes a row, in the order of the others. */
  void decode(String name, long row, float[] target) {
    GgufTensor tensor = file.tensor(name);
    Matrix matrix = file.matrix(tensor);
    long offset = matrix.rowOffset(stored(name, row));
    tensor.type().codec().decode(matrix.segment(), offset, target, 0, target.length);
  }

  /** Returns a row's blocks. */
  MemorySegment blocks(String name, long row) {
    GgufTensor tensor = file.tensor(name);
    Matrix matrix = file.matrix(tensor);
    long bytes = tensor.type().rowBytes(tensor.columns());
    return matrix.segment().asSlice(matrix.rowOffset(stored(name, row)), bytes);
  }

  private long stored(String name, long row) {
    if (!name.endsWith("attn_q.weight") && !name.endsWith("attn_k.weight")) {
      return row;
    }
    int length = config.headDim();
    long head = row / length;
    long at = row % length;
    long half = length / 2;
    return head * length + (at < half ? 2 * at : 2 * (at - half) + 1);
  }
}
