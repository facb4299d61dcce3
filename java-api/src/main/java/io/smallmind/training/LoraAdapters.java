package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A pair of small matrices beside each matrix of a network's blocks: A (rank, inputs), random at
 * first, and B (outputs, rank), zero at first, so that training begins at the base's function.
 */
final class LoraAdapters {
  final LoraConfig config;
  final ParameterSet parameters;

  LoraAdapters(ParameterSet base, LoraConfig config, Arena arena) {
    this.config = config;
    List<Parameter.Spec> specs = new ArrayList<>();
    for (Parameter weight : base.all()) {
      if (isAdapted(weight.name())) {
        double deviation = 1 / Math.sqrt(weight.columns());
        specs.add(
            Parameter.Spec.matrix(
                weight.name() + ".lora_a", config.rank(), weight.columns(), deviation));
        specs.add(
            Parameter.Spec.matrix(weight.name() + ".lora_b", weight.rows(), config.rank(), 0));
      }
    }
    parameters = new ParameterSet(specs, false, arena);
  }

  private static boolean isAdapted(String name) {
    return name.startsWith("blk.") && name.endsWith(".weight") && !name.contains("_norm.");
  }

  /** Records the adapter of a weight behind its matmul. */
  void apply(Tape tape, Tensor x, String weight, Tensor y) {
    tape.lora(x, a(weight), b(weight), config.scale(), y);
  }

  private Parameter a(String weight) {
    return parameters.get(weight + ".lora_a");
  }

  private Parameter b(String weight) {
    return parameters.get(weight + ".lora_b");
  }

  /**
   * Announces the adapters under the names of a model file's tensors, of which some share the A of
   * one weight; their memory must live until they are written.
   */
  void put(NetworkConfig network, ParameterSet base, GgufWriter writer) {
    writer
        .put("general.type", "adapter")
        .put("general.architecture", network.architecture().id())
        .put("adapter.type", "lora")
        .put("adapter.lora.alpha", GgufValue.float32((float) config.alpha()));
    for (Parameter weight : base.all()) {
      if (isAdapted(weight.name())) {
        Parameter a = a(weight.name());
        Parameter b = b(weight.name());
        for (ModelTensors.Part part : ModelTensors.parts(network, weight.spec)) {
          long rank = config.rank();
          MemorySegment rows = ModelTensors.rows(b, part);
          writer
              .tensor(
                  part.name() + ".lora_a",
                  TensorType.F32,
                  List.of((long) weight.columns(), rank),
                  a.value)
              .tensor(
                  part.name() + ".lora_b", TensorType.F32, List.of(rank, (long) part.rows()), rows);
        }
      }
    }
  }

  /** Adds scale · B · A to each weight of the base: it then does alone what both did. */
  void mergeInto(ParameterSet base) {
    for (Parameter weight : base.all()) {
      if (isAdapted(weight.name())) {
        merge(weight, a(weight.name()), b(weight.name()));
      }
    }
  }

  private void merge(Parameter weight, Parameter a, Parameter b) {
    int columns = weight.columns();
    float[] sum = new float[columns];
    float[] line = new float[columns];
    for (int row = 0; row < weight.rows(); row++) {
      Lines.read(weight.value, 4L * row * columns, sum, columns);
      for (int i = 0; i < config.rank(); i++) {
        float factor =
            config.scale() * b.value.getAtIndex(JAVA_FLOAT, (long) row * config.rank() + i);
        Lines.read(a.value, 4L * i * columns, line, columns);
        for (int j = 0; j < columns; j++) {
          sum[j] += factor * line[j];
        }
      }
      Lines.write(sum, weight.value, 4L * row * columns, columns);
    }
  }
}
