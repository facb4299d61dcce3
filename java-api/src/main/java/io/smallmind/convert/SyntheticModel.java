package io.smallmind.convert;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.model.ProgressListener;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes models of a real shape with random weights, so that speed can be measured without a
 * download. They speak nonsense, but load, run and tokenize like any other.
 *
 * <p>Large tensors repeat rows of a pool: encoding every value would take minutes, and speed
 * doesn't depend on them. The same seed gives the same file.
 */
public final class SyntheticModel implements AutoCloseable {
  /** Random values per kind of tensor. */
  private static final int POOL_ELEMENTS = 1 << 19;

  private static final int QUANTIZATION_VERSION = 2;

  /** Rows of random values, encoded. */
  private record Pool(Memory memory, long rows, long rowBytes) {}

  private record Kind(TensorType type, int columns, float scale) {}

  private final ModelShape shape;
  private final QuantizationMix mix;
  private final long seed;
  private final boolean sparse;
  private final Team team;
  private final ProgressListener listener;
  private final Map<Kind, Pool> pools = new HashMap<>();
  private final GgufWriter writer = new GgufWriter();
  private int tensors;
  private long total;
  private long done;

  private SyntheticModel(
      ModelShape shape,
      QuantizationMix mix,
      long seed,
      boolean sparse,
      Team team,
      ProgressListener listener) {
    this.shape = shape;
    this.mix = mix;
    this.seed = seed;
    this.sparse = sparse;
    this.team = team;
    this.listener = listener;
  }

  /**
   * Writes a model.
   *
   * @param mix types of the tensors
   * @param sparse leave holes where the weights belong: they read as zeros and take no disk
   * @return bytes of all tensors
   * @throws io.smallmind.error.FileWriteException if the file can't be written
   */
  public static long write(
      Path target,
      ModelShape shape,
      QuantizationMix mix,
      long seed,
      boolean sparse,
      Team team,
      ProgressListener listener) {
    try (SyntheticModel model = new SyntheticModel(shape, mix, seed, sparse, team, listener)) {
      model.metadata();
      SyntheticVocabulary.put(model.writer, shape.vocabulary());
      model.tensors();
      model.writer.write(target);
      return model.total;
    }
  }

  private void metadata() {
    Architecture architecture = shape.architecture();
    writer
        .put("general.architecture", architecture.id())
        .put("general.name", "synthetic " + shape.name())
        .put("general.file_type", mix.fileType());
    if (mix.base().isQuantized()) {
      writer.put("general.quantization_version", QUANTIZATION_VERSION);
    }
    String prefix = architecture.id() + ".";
    writer
        .put(prefix + "vocab_size", shape.vocabulary())
        .put(prefix + "context_length", shape.context())
        .put(prefix + "embedding_length", shape.length())
        .put(prefix + "block_count", shape.layers())
        .put(prefix + "feed_forward_length", shape.inner())
        .put(prefix + "attention.head_count", shape.heads())
        .put(prefix + "attention.head_count_kv", shape.kvHeads())
        .put(prefix + "attention.key_length", shape.headDim())
        .put(prefix + "attention.value_length", shape.headDim());
    boolean rms = architecture.norm() == Architecture.Norm.RMS;
    put(prefix + (rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"), 1e-5);
    if (architecture.ropePairing() != null) {
      writer.put(prefix + "rope.dimension_count", shape.headDim());
      put(prefix + "rope.freq_base", shape.ropeBase());
    }
    if (shape.experts() > 0) {
      writer
          .put(prefix + "expert_count", shape.experts())
          .put(prefix + "expert_used_count", 2)
          .put(prefix + "expert_feed_forward_length", shape.inner());
    }
    if (isGemma()) {
      writer.put(prefix + "attention.sliding_window", Math.max(1, shape.context() / 4));
    }
    if (architecture == Architecture.GEMMA2) {
      put(prefix + "attn_logit_softcapping", 50);
      put(prefix + "final_logit_softcapping", 30);
    }
  }

  private void put(String key, double value) {
    writer.put(key, io.smallmind.gguf.GgufValue.float32((float) value));
  }

  private boolean isGemma() {
    return shape.architecture() == Architecture.GEMMA2
        || shape.architecture() == Architecture.GEMMA3;
  }

  private void tensors() {
    int length = shape.length();
    weights("token_embd", length, shape.vocabulary());
    if (shape.architecture() == Architecture.GPT2) {
      random("position_embd.weight", TensorType.F32, 0.02f, length, shape.context());
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      layer("blk." + layer + ".");
    }
    norm("output_norm", length);
    if (!shape.tied()) {
      weights("output", length, shape.vocabulary());
    }
  }

  private void layer(String prefix) {
    int length = shape.length();
    int queries = shape.heads() * shape.headDim();
    int keys = shape.kvHeads() * shape.headDim();
    Architecture architecture = shape.architecture();
    boolean gpt2 = architecture == Architecture.GPT2;
    norm(prefix + "attn_norm", length);
    if (gpt2 || architecture == Architecture.PHI3) {
      weights(prefix + "attn_qkv", length, queries + 2 * keys);
      bias(prefix + "attn_qkv", queries + 2 * keys, gpt2);
    } else {
      boolean biased = architecture == Architecture.QWEN2;
      weights(prefix + "attn_q", length, queries);
      bias(prefix + "attn_q", queries, biased);
      weights(prefix + "attn_k", length, keys);
      bias(prefix + "attn_k", keys, biased);
      weights(prefix + "attn_v", length, keys);
      bias(prefix + "attn_v", keys, biased);
    }
    if (architecture == Architecture.QWEN3
        || architecture == Architecture.QWEN3MOE
        || architecture == Architecture.GEMMA3) {
      norm(prefix + "attn_q_norm", shape.headDim());
      norm(prefix + "attn_k_norm", shape.headDim());
    }
    weights(prefix + "attn_output", queries, length);
    bias(prefix + "attn_output", length, gpt2);
    if (isGemma()) {
      norm(prefix + "post_attention_norm", length);
    }
    norm(prefix + "ffn_norm", length);
    feedForward(prefix, gpt2);
    if (isGemma()) {
      norm(prefix + "post_ffw_norm", length);
    }
  }

  private void feedForward(String prefix, boolean gpt2) {
    int length = shape.length();
    int inner = shape.inner();
    int experts = shape.experts();
    if (experts > 0) {
      random(prefix + "ffn_gate_inp.weight", TensorType.F32, scale(length), length, experts);
      weights(prefix + "ffn_gate_exps", length, inner, experts);
      weights(prefix + "ffn_up_exps", length, inner, experts);
      weights(prefix + "ffn_down_exps", inner, length, experts);
      return;
    }
    if (shape.architecture() == Architecture.PHI3) {
      weights(prefix + "ffn_up", length, 2 * inner);
    } else {
      if (!gpt2) {
        weights(prefix + "ffn_gate", length, inner);
      }
      weights(prefix + "ffn_up", length, inner);
      bias(prefix + "ffn_up", inner, gpt2);
    }
    weights(prefix + "ffn_down", inner, length);
    bias(prefix + "ffn_down", length, gpt2);
  }

  /** Keeps the sums of a matmul as large as its inputs. */
  private static float scale(int columns) {
    return (float) (1 / Math.sqrt(columns));
  }

  private void weights(String name, int... dimensions) {
    String full = name + ".weight";
    QuantizationMix.Model model =
        new QuantizationMix.Model(
            shape.layers(), shape.heads() / shape.kvHeads(), shape.experts(), shape.tied());
    TensorType type = mix.typeOf(full, dimensions[0], model, false);
    random(full, type, scale(dimensions[0]), dimensions);
  }

  private void bias(String name, int length, boolean present) {
    if (present) {
      constant(name + ".bias", length, 0);
    }
  }

  private void norm(String name, int length) {
    constant(name + ".weight", length, 1);
    if (shape.architecture().norm() == Architecture.Norm.LAYER) {
      constant(name + ".bias", length, 0);
    }
  }

  private void constant(String name, int length, float value) {
    total += 4L * length;
    tensors++;
    writer.tensor(
        name,
        TensorType.F32,
        List.of((long) length),
        sink -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(4L * length);
            for (int i = 0; i < length; i++) {
              data.setAtIndex(JAVA_FLOAT_UNALIGNED, i, value);
            }
            sink.write(data);
          }
          advance(4L * length, name);
        });
  }

  /** Adds a tensor of random values of this root mean square; dimensions as in the file. */
  private void random(String name, TensorType type, float scale, int... dimensions) {
    long rows = 1;
    for (int i = 1; i < dimensions.length; i++) {
      rows *= dimensions[i];
    }
    long count = rows;
    long bytes = rows * type.rowBytes(dimensions[0]);
    Kind kind = new Kind(type, dimensions[0], scale);
    long place = tensors++ * rows;
    total += bytes;
    writer.tensor(
        name,
        type,
        java.util.Arrays.stream(dimensions).mapToObj(Long::valueOf).toList(),
        sink -> {
          if (sparse) {
            sink.writeZeros(bytes);
          } else {
            repeat(sink, pools.computeIfAbsent(kind, this::fill), place, count);
          }
          advance(bytes, name);
        });
  }

  /** Writes rows of a pool, from a place of its own for each tensor, over and over. */
  private static void repeat(GgufWriter.Sink sink, Pool pool, long place, long rows) {
    long at = place % pool.rows();
    for (long left = rows; left > 0; ) {
      long count = Math.min(left, pool.rows() - at);
      sink.write(pool.memory().segment().asSlice(at * pool.rowBytes(), count * pool.rowBytes()));
      left -= count;
      at = 0;
    }
  }

  private Pool fill(Kind kind) {
    int columns = kind.columns();
    long rows = Math.max(1, POOL_ELEMENTS / columns);
    long rowBytes = kind.type().rowBytes(columns);
    float width = (float) (kind.scale() * 2 * Math.sqrt(3)); // of uniform values
    Memory memory = Memory.allocate(rows * rowBytes);
    long start = seed * 31 + kind.type().ggufId() * 1_000_003L + columns;
    team.forRanges(
        rows,
        1,
        (begin, end) -> {
          float[] values = new float[columns];
          for (long row = begin; row < end; row++) {
            SplittableRandom random = new SplittableRandom(start + (row << 32));
            for (int i = 0; i < columns; i++) {
              values[i] = ((random.nextInt() >>> 8) * 0x1p-24f - 0.5f) * width;
            }
            kind.type().codec().encode(values, 0, memory.segment(), row * rowBytes, columns);
          }
        });
    return new Pool(memory, rows, rowBytes);
  }

  private void advance(long bytes, String name) {
    done += bytes;
    listener.progress(done, total, name);
  }

  @Override
  public void close() {
    pools.values().forEach(pool -> pool.memory().close());
  }
}
