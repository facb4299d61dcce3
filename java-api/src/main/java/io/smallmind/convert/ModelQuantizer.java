package io.smallmind.convert;

import io.smallmind.error.BadModelFileException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.Team;
import io.smallmind.model.LoraAdapter;
import io.smallmind.model.ProgressListener;
import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model file anew with its weights in other types. Tensors pass through in pieces, so that
 * memory stays bounded whatever the model's size; all threads of a team encode.
 */
public final class ModelQuantizer {
  /** Values per piece: decoded and encoded they take some MB. */
  private static final long PIECE_ELEMENTS = 1L << 22;

  private static final int QUANTIZATION_VERSION = 2;

  private final GgufFile source;
  private final @Nullable LoraAdapter adapter;
  private final Team team;
  private final ProgressListener listener;
  private long total;
  private long done;

  private ModelQuantizer(
      GgufFile source, @Nullable LoraAdapter adapter, Team team, ProgressListener listener) {
    this.source = source;
    this.adapter = adapter;
    this.team = team;
    this.listener = listener;
  }

  /**
   * What was written.
   *
   * @param bytesBefore of all tensors of the source
   * @param bytesAfter of all tensors of the target
   * @param tensors how many tensors have each type now
   */
  public record Result(long bytesBefore, long bytesAfter, Map<TensorType, Integer> tensors) {}

  /**
   * Quantizes a model.
   *
   * @param source a GGUF file; quantized ones are decoded first, which adds their errors
   * @param target may be the source itself
   * @param mix which tensor gets which type
   * @param pure give every weight the base type of the mix
   * @throws BadModelFileException if the source can't be read
   * @throws UnsupportedFormatException if a weight's type can't be decoded
   * @throws io.smallmind.error.FileWriteException if the target can't be written
   */
  public static Result quantize(
      Path source,
      Path target,
      QuantizationMix mix,
      boolean pure,
      Team team,
      ProgressListener listener) {
    try (GgufFile file = GgufFile.open(source)) {
      return new ModelQuantizer(file, null, team, listener).write(target, mix, pure);
    }
  }

  /**
   * Merges a LoRA adapter into a model, and quantizes the result.
   *
   * @param source a GGUF file; quantized ones are decoded first, which adds their errors
   * @param lora a GGUF adapter file for this model
   * @param strength factor of the adapter; 1 for as it was trained
   * @param target may be the source itself
   * @param mix which tensor gets which type
   * @param pure give every weight the base type of the mix
   * @throws BadModelFileException if a file can't be read, or the adapter is none for this model
   * @throws UnsupportedFormatException if a weight's type can't be decoded
   * @throws io.smallmind.error.FileWriteException if the target can't be written
   */
  public static Result merge(
      Path source,
      Path lora,
      double strength,
      Path target,
      QuantizationMix mix,
      boolean pure,
      Team team,
      ProgressListener listener) {
    try (GgufFile file = GgufFile.open(source);
        LoraAdapter adapter = LoraAdapter.open(lora, strength, file)) {
      return new ModelQuantizer(file, adapter, team, listener).write(target, mix, pure);
    }
  }

  private boolean isAdapted(GgufTensor tensor) {
    return adapter != null && adapter.tensors().contains(tensor.name());
  }

  private Result write(Path target, QuantizationMix mix, boolean pure) {
    QuantizationMix.Model model = model();
    GgufWriter writer = new GgufWriter().putAll(source.metadata());
    writer.put("general.file_type", mix.fileType());
    if (mix.base().isQuantized()) {
      writer.put("general.quantization_version", QUANTIZATION_VERSION);
    } else {
      writer.remove("general.quantization_version");
    }
    Map<TensorType, Integer> counts = new EnumMap<>(TensorType.class);
    long before = 0;
    for (GgufTensor tensor : source.tensors()) {
      TensorType type = tensor.type();
      if (QuantizationMix.applies(tensor.name(), tensor.shape().size())) {
        type = mix.typeOf(tensor.name(), tensor.columns(), model, pure);
      }
      before += tensor.bytes();
      total += tensor.rows() * type.rowBytes(tensor.columns());
      counts.merge(type, 1, Integer::sum);
      add(writer, tensor, type);
    }
    writer.write(target);
    return new Result(before, total, counts);
  }

  private void add(GgufWriter writer, GgufTensor tensor, TensorType type) {
    if (type == tensor.type() && !isAdapted(tensor)) {
      writer.tensor(
          tensor.name(),
          type,
          tensor.shape(),
          sink -> {
            sink.write(source.data(tensor));
            advance(tensor.bytes(), tensor.name());
          });
      return;
    }
    if (!tensor.type().hasCodec()) {
      throw new UnsupportedFormatException(
          source.path()
              + ": tensor "
              + tensor.name()
              + " is of type "
              + tensor.type()
              + ", which can't be decoded; supported are "
              + TensorType.supported());
    }
    writer.tensor(tensor.name(), type, tensor.shape(), sink -> convert(tensor, type, sink));
  }

  private void convert(GgufTensor tensor, TensorType type, GgufWriter.Sink sink) {
    int columns = Math.toIntExact(tensor.columns());
    long rows = tensor.rows();
    long piece = Math.clamp(PIECE_ELEMENTS / columns, 1, rows);
    long inBytes = tensor.type().rowBytes(columns);
    long outBytes = type.rowBytes(columns);
    MemorySegment in = source.data(tensor);
    Codec decoder = tensor.type().codec();
    Codec encoder = type.codec();
    LoraAdapter changes = isAdapted(tensor) ? adapter : null;
    try (Memory memory = Memory.allocate(piece * outBytes)) {
      MemorySegment out = memory.segment();
      for (long first = 0; first < rows; first += piece) {
        long begin = first;
        long count = Math.min(piece, rows - first);
        team.forRanges(
            count,
            1,
            (from, to) -> {
              float[] row = new float[columns];
              for (long i = from; i < to; i++) {
                decoder.decode(in, (begin + i) * inBytes, row, 0, columns);
                if (changes != null) {
                  changes.addTo(tensor.name(), begin + i, row);
                }
                encoder.encode(row, 0, out, i * outBytes, columns);
              }
            });
        sink.write(out.asSlice(0, count * outBytes));
        advance(count * outBytes, tensor.name());
      }
    }
  }

  private void advance(long bytes, String name) {
    done += bytes;
    listener.progress(done, total, name);
  }

  private QuantizationMix.Model model() {
    GgufMetadata metadata = source.metadata();
    String prefix = metadata.string("general.architecture") + ".";
    long heads = metadata.integer(prefix + "attention.head_count", 1, 1 << 16, 1);
    long keyHeads = metadata.integer(prefix + "attention.head_count_kv", 1, 1 << 16, heads);
    return new QuantizationMix.Model(
        (int) metadata.integer(prefix + "block_count", 0, 1 << 16, 0),
        (int) (heads / keyHeads),
        (int) metadata.integer(prefix + "expert_count", 0, 1 << 16, 0),
        source.findTensor("output.weight") == null);
  }
}
