package io.smallmind.bench.work;

import io.smallmind.QuantizedMatrix;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes workloads of the matrices in a GGUF file. */
public final class ModelMatmuls {
  /** More than this is read from memory in every round of the tensors; less is in a cache. */
  private static final long CACHED_BYTES = 64L << 20;

  /** A tensor's data is multiplied in turn, up to so much of one shape. */
  private static final long MOST_BYTES = 1L << 30;

  private ModelMatmuls() {}

  /**
   * The tensors of one type and shape: all are multiplied in turn, as in a model's layers.
   *
   * @param names of the tensors, in the file's order
   */
  public record Group(TensorType type, long rows, long columns, List<String> names) {
    /** Returns type and shape for a person. */
    public String title() {
      return type + " " + rows + "×" + columns;
    }
  }

  /**
   * Returns the matrices of a file that can be multiplied with, by type and shape.
   *
   * @throws io.smallmind.error.SmallMindException if the file is no GGUF file
   */
  public static List<Group> groups(Path file) {
    Map<String, Group> groups = new LinkedHashMap<>();
    try (GgufFile gguf = GgufFile.open(file)) {
      for (GgufTensor tensor : gguf.tensors()) {
        if (tensor.shape().size() == 2 && tensor.type().hasCodec() && tensor.rows() > 1) {
          String key = tensor.type() + "/" + tensor.rows() + "/" + tensor.columns();
          groups
              .computeIfAbsent(
                  key,
                  any ->
                      new Group(tensor.type(), tensor.rows(), tensor.columns(), new ArrayList<>()))
              .names()
              .add(tensor.name());
        }
      }
    }
    return List.copyOf(groups.values());
  }

  /**
   * Returns y (rows, N) = x (rows, K) · Wᵀ with the tensors of a group in turn.
   *
   * @param rows of activations
   */
  public static Workload of(Contestants all, Path file, Group group, long rows) {
    GgufFile gguf = GgufFile.open(file);
    try {
      List<Matrix> stored = new ArrayList<>();
      List<QuantizedMatrix> matrices = new ArrayList<>();
      long bytes = group.rows() * group.type().rowBytes(group.columns());
      for (String name : group.names()) {
        if (!stored.isEmpty() && bytes * stored.size() >= MOST_BYTES) {
          break;
        }
        stored.add(gguf.matrix(gguf.tensor(name)));
        matrices.add(QuantizedMatrix.load(gguf, name));
      }
      Weights weights = new Weights(stored, matrices, List.of(gguf::close));
      boolean cached = bytes * stored.size() < CACHED_BYTES;
      String note =
          stored.size()
              + (stored.size() == 1 ? " tensor" : " tensors in turn")
              + (cached ? ", small enough for a cache" : "");
      return Matmuls.gemv(all, weights, rows, note, List.of());
    } catch (RuntimeException e) {
      gguf.close();
      throw e;
    }
  }
}
