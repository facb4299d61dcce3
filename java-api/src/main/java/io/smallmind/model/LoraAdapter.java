package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.tensor.Codec;
import io.smallmind.tensor.Lifetime;
import io.smallmind.tensor.MemoryPool;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Changes of a model's matrices by products of low rank (Hu et al. 2021): W + scale · B · A. Read
 * from a GGUF adapter file as llama.cpp knows it: {@code general.type} is {@code adapter}, {@code
 * adapter.type} is {@code lora}, and beside {@code adapter.lora.alpha} there is a pair of tensors
 * {@code NAME.lora_a} and {@code NAME.lora_b} for each matrix. Immutable and thread-safe. Models
 * that were loaded with it hold it: closed before them, it is freed when the last of them is
 * closed.
 */
public final class LoraAdapter implements AutoCloseable {
  private static final int MAX_RANK = 1024;

  /**
   * The change of one matrix (outputs, inputs).
   *
   * @param rank columns of B and rows of A
   * @param a (rank, inputs) F32
   * @param b (rank, outputs) F32: B transposed
   * @param scale of the product
   */
  record Delta(int rank, int inputs, int outputs, MemorySegment a, MemorySegment b, float scale) {}

  private final Path path;
  private final double strength;
  private final MemoryPool pool = MemoryPool.large();
  private final Lifetime lifetime = new Lifetime("this adapter", pool::close);
  private final Map<String, Delta> deltas = new LinkedHashMap<>();

  private LoraAdapter(Path path, double strength) {
    this.path = path;
    this.strength = strength;
  }

  /**
   * Reads an adapter for a model.
   *
   * @param path of a GGUF adapter file
   * @param strength factor of all changes; 1 for as they were trained
   * @param base the model that it changes
   * @throws BadModelFileException if the file is no adapter, or none for this model
   * @throws io.smallmind.error.UnsupportedFormatException if a tensor's type has no codec
   */
  public static LoraAdapter open(Path path, double strength, GgufFile base) {
    if (!Double.isFinite(strength)) {
      throw new BadArgumentException("an adapter's strength of " + strength + ": choose a number");
    }
    LoraAdapter adapter = new LoraAdapter(path, strength);
    try (GgufFile file = GgufFile.open(path)) {
      adapter.read(file, base);
      return adapter;
    } catch (Throwable e) {
      adapter.close();
      throw e;
    }
  }

  private void read(GgufFile file, GgufFile base) {
    GgufMetadata metadata = file.metadata();
    expect(metadata, "general.type", "adapter");
    expect(metadata, "adapter.type", "lora");
    expect(
        metadata, "general.architecture", base.metadata().string("general.architecture", "none"));
    double alpha = metadata.real("adapter.lora.alpha");
    for (GgufTensor tensor : file.tensors()) {
      if (tensor.name().endsWith(".lora_a")) {
        String name = tensor.name().substring(0, tensor.name().length() - ".lora_a".length());
        deltas.put(name, delta(file, base, name, tensor, alpha));
      } else if (!tensor.name().endsWith(".lora_b")) {
        throw bad("tensor " + tensor.name() + " is no part of a pair .lora_a and .lora_b");
      }
    }
    if (deltas.isEmpty() || file.tensors().size() != 2 * deltas.size()) {
      throw bad(file.tensors().size() + " tensors that are no pairs .lora_a and .lora_b");
    }
  }

  private void expect(GgufMetadata metadata, String key, String wanted) {
    String found = metadata.string(key, "absent");
    if (!found.equals(wanted)) {
      throw bad(key + " is " + found + ", not " + wanted + "; name an adapter for this model");
    }
  }

  private BadModelFileException bad(String problem) {
    return new BadModelFileException(path + ": " + problem);
  }

  private Delta delta(GgufFile file, GgufFile base, String name, GgufTensor a, double alpha) {
    GgufTensor b = file.tensor(name + ".lora_b");
    GgufTensor target = base.findTensor(name);
    if (target == null) {
      throw bad("the model has no tensor " + name + "; name an adapter for this model");
    }
    long rank = a.rows();
    if (target.shape().size() != 2
        || a.shape().size() != 2
        || b.shape().size() != 2
        || a.columns() != target.columns()
        || b.rows() != target.rows()
        || b.columns() != rank
        || rank > MAX_RANK) {
      throw bad(
          "the pair for "
              + name
              + " has the shapes "
              + a.shape()
              + " and "
              + b.shape()
              + "; that of the model's tensor is "
              + target.shape());
    }
    int inputs = Math.toIntExact(target.columns());
    int outputs = Math.toIntExact(target.rows());
    MemorySegment left = pool.allocate(4 * rank * inputs);
    MemorySegment right = pool.allocate(4 * rank * outputs);
    float[] row = new float[inputs];
    for (int i = 0; i < rank; i++) {
      decode(file, a, i, row);
      MemorySegment.copy(row, 0, left, JAVA_FLOAT, 4L * i * inputs, inputs);
    }
    float[] line = new float[(int) rank];
    for (int i = 0; i < outputs; i++) {
      decode(file, b, i, line);
      for (int j = 0; j < rank; j++) {
        right.setAtIndex(JAVA_FLOAT, (long) j * outputs + i, line[j]);
      }
    }
    float scale = (float) (strength * (alpha == 0 ? 1 : alpha / rank));
    return new Delta((int) rank, inputs, outputs, left, right, scale);
  }

  private static void decode(GgufFile file, GgufTensor tensor, long row, float[] to) {
    Codec codec = tensor.type().codec();
    codec.decode(file.data(tensor), row * tensor.type().rowBytes(to.length), to, 0, to.length);
  }

  /** Returns the path of the file. */
  public Path path() {
    return path;
  }

  /** Returns the factor of all changes. */
  public double strength() {
    return strength;
  }

  /**
   * Returns a number that tells these changes from others.
   *
   * @throws io.smallmind.error.ClosedException if it was closed
   */
  public long checksum() {
    CRC32C checksum = new CRC32C();
    lifetime.acquire();
    try {
      deltas.forEach(
          (name, delta) -> {
            checksum.update(name.getBytes(StandardCharsets.UTF_8));
            checksum.update(ByteBuffer.allocate(4).putFloat(0, delta.scale()));
            checksum.update(delta.a().asByteBuffer());
            checksum.update(delta.b().asByteBuffer());
          });
    } finally {
      lifetime.release();
    }
    return checksum.getValue();
  }

  /** Returns the names of the tensors that it changes. */
  public Set<String> tensors() {
    return Set.copyOf(deltas.keySet());
  }

  /** Returns the change of a tensor, or null if it stays as it is. */
  @Nullable Delta find(String tensor) {
    return deltas.get(tensor);
  }

  /**
   * Adds the change of a tensor to one of its rows.
   *
   * @param values (inputs)
   * @throws io.smallmind.error.ClosedException if it was closed
   */
  public void addTo(String tensor, long row, float[] values) {
    lifetime.acquire();
    try {
      Delta delta = deltas.get(tensor);
      if (delta != null) {
        add(delta, row, values);
      }
    } finally {
      lifetime.release();
    }
  }

  private static void add(Delta delta, long row, float[] values) {
    for (int i = 0; i < delta.rank(); i++) {
      float factor =
          delta.scale() * delta.b().getAtIndex(JAVA_FLOAT, (long) i * delta.outputs() + row);
      long at = (long) i * delta.inputs();
      for (int j = 0; j < delta.inputs(); j++) {
        values[j] += factor * delta.a().getAtIndex(JAVA_FLOAT, at + j);
      }
    }
  }

  /**
   * Keeps its memory from being freed until {@link #release()}.
   *
   * @throws io.smallmind.error.ClosedException if it was closed
   */
  public void acquire() {
    lifetime.acquire();
  }

  /** Lets go of what {@link #acquire()} held. */
  public void release() {
    lifetime.release();
  }

  /** Frees its memory as soon as no model holds it; closing twice does nothing. */
  @Override
  public void close() {
    lifetime.close();
  }
}
