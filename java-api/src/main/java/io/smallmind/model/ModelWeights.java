package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.model.LayerWeights.Experts;
import io.smallmind.model.LayerWeights.FeedForward;
import io.smallmind.model.LayerWeights.NormWeights;
import io.smallmind.model.Projection.Buffer;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.MemoryPool;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model in a backend's layout, each tensor's shape and type checked against the
 * configuration. Immutable and thread-safe.
 */
final class ModelWeights implements AutoCloseable {
  private final GgufFile file;
  private final ModelConfig config;
  private final Kernels kernels;
  private final Team team;
  private final LoadOptions options;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final MemoryPool pool = MemoryPool.large();
  private final MemoryPool vectors = MemoryPool.small();
  private final @Nullable PackedFile kept;
  private long packedBytes;
  private final Set<String> unadapted = new TreeSet<>();

  /** Largest rank of an adapter; 0 if there is none. */
  private int adapterRank;

  /** (vocabulary, embeddingLength), as stored. */
  final Matrix tokenEmbeddings;

  /** (contextLength, embeddingLength), or null where RoPE tells positions. */
  final @Nullable Matrix positionEmbeddings;

  final List<LayerWeights> layers;
  final NormWeights outputNorm;
  final Projection[] output;

  /** The turning frequencies of RoPE, one per pair, on global and on local layers. */
  final double[] ropeFrequencies;

  final double[] localRopeFrequencies;

  /**
   * Packs the weights of a model.
   *
   * @param file stays open as long as this
   * @throws BadModelFileException if a tensor is missing or has another shape
   * @throws UnsupportedFormatException if a tensor's type has no codec
   * @throws io.smallmind.error.FileWriteException if packed weights can't be kept
   */
  ModelWeights(GgufFile file, ModelConfig config, Kernels kernels, Team team, LoadOptions options) {
    this.file = file;
    this.config = config;
    this.kernels = kernels;
    this.team = team;
    this.options = options;
    owned.add(pool);
    owned.add(vectors);
    try {
      LoraAdapter adapter = options.adapter();
      if (adapter != null) {
        adapter.acquire();
        owned.add(adapter::release);
        unadapted.addAll(adapter.tensors());
      }
      kept = options.keepPacked() ? new PackedFile(file, kernels, team) : null;
      if (kept != null) {
        owned.add(kept);
      }
      int length = config.embeddingLength();
      tokenEmbeddings = matrix("token_embd.weight", config.vocabularySize(), length);
      positionEmbeddings =
          config.architecture().ropePairing() == null
              ? matrix("position_embd.weight", config.contextLength(), length)
              : null;
      outputNorm = norm("output_norm", length);
      String head = file.findTensor("output.weight") != null ? "output" : "token_embd";
      output = new Projection[] {projection(head, config.vocabularySize(), length, Buffer.LOGITS)};
      ropeFrequencies = config.rope().frequencies(ropeDivisors());
      localRopeFrequencies =
          config.localRope() == config.rope()
              ? ropeFrequencies
              : config.localRope().frequencies(new float[0]);
      List<LayerWeights> blocks = new ArrayList<>();
      for (int layer = 0; layer < config.layers(); layer++) {
        blocks.add(layer("blk." + layer + "."));
      }
      layers = List.copyOf(blocks);
      if (adapter != null && !unadapted.isEmpty()) {
        throw new UnsupportedFormatException(
            adapter.path()
                + ": adapters of "
                + unadapted.iterator().next()
                + " are not supported; only those of plain projections are");
      }
      if (kept != null) {
        kept.keep();
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private LayerWeights layer(String prefix) {
    int length = config.embeddingLength();
    return new LayerWeights(
        norm(prefix + "attn_norm", length),
        attentionInputs(prefix),
        optionalNorm(prefix + "attn_q_norm", config.headDim()),
        optionalNorm(prefix + "attn_k_norm", config.headDim()),
        new Projection[] {
          projection(prefix + "attn_output", length, config.queryLength(), Buffer.RESIDUAL)
        },
        optionalNorm(prefix + "post_attention_norm", length),
        norm(prefix + "ffn_norm", length),
        config.experts() == 0 ? feedForward(prefix) : null,
        config.experts() == 0 ? null : experts(prefix),
        optionalNorm(prefix + "post_ffw_norm", length));
  }

  private Projection[] attentionInputs(String prefix) {
    int length = config.embeddingLength();
    int queries = config.queryLength();
    int keys = config.keyLength();
    String fused = prefix + "attn_qkv";
    if (file.findTensor(fused + ".weight") != null) {
      long rows = queries + 2L * keys;
      return new Projection[] {
        part(fused, rows, length, 0, queries, Buffer.QUERIES),
        part(fused, rows, length, queries, queries + keys, Buffer.KEYS),
        part(fused, rows, length, queries + keys, rows, Buffer.VALUES)
      };
    }
    return new Projection[] {
      projection(prefix + "attn_q", queries, length, Buffer.QUERIES),
      projection(prefix + "attn_k", keys, length, Buffer.KEYS),
      projection(prefix + "attn_v", keys, length, Buffer.VALUES)
    };
  }

  private FeedForward feedForward(String prefix) {
    int length = config.embeddingLength();
    int inner = config.feedForwardLength();
    String up = prefix + "ffn_up";
    Projection[] inputs;
    if (!config.architecture().isGated()) {
      inputs = new Projection[] {projection(up, inner, length, Buffer.GATE)};
    } else if (file.findTensor(prefix + "ffn_gate.weight") == null) {
      inputs =
          new Projection[] {
            part(up, 2L * inner, length, 0, inner, Buffer.GATE),
            part(up, 2L * inner, length, inner, 2L * inner, Buffer.UP)
          };
    } else {
      inputs =
          new Projection[] {
            projection(prefix + "ffn_gate", inner, length, Buffer.GATE),
            projection(up, inner, length, Buffer.UP)
          };
    }
    return new FeedForward(
        inputs, new Projection[] {projection(prefix + "ffn_down", length, inner, Buffer.RESIDUAL)});
  }

  private Experts experts(String prefix) {
    int length = config.embeddingLength();
    int inner = config.feedForwardLength();
    return new Experts(
        new Projection[] {
          projection(prefix + "ffn_gate_inp", config.experts(), length, Buffer.ROUTER)
        },
        expert(prefix + "ffn_gate", inner, length),
        expert(prefix + "ffn_up", inner, length),
        expert(prefix + "ffn_down", length, inner));
  }

  /** Experts stand in one tensor with three dimensions, or (older files) in one tensor each. */
  private List<PackedWeights> expert(String name, int rows, int columns) {
    List<PackedWeights> experts = new ArrayList<>();
    boolean together = file.findTensor(name + "_exps.weight") != null;
    Matrix all =
        together
            ? matrix(name + "_exps.weight", Math.multiplyExact(rows, config.experts()), columns)
            : null;
    for (int expert = 0; expert < config.experts(); expert++) {
      Matrix one =
          all != null
              ? all.rows((long) expert * rows, (long) (expert + 1) * rows)
              : matrix(name + "." + expert + ".weight", rows, columns);
      experts.add(pack(name, one));
    }
    return List.copyOf(experts);
  }

  private Projection projection(String name, long rows, long columns, Buffer target) {
    return part(name, rows, columns, 0, rows, target);
  }

  /** Takes some of the rows of a tensor in which several projections stand one after the other. */
  private Projection part(
      String name, long rows, long columns, long begin, long end, Buffer target) {
    PackedWeights weights = pack(name, matrix(name + ".weight", rows, columns).rows(begin, end));
    Matrix bias =
        file.findTensor(name + ".bias") == null
            ? null
            : vector(name + ".bias", Math.toIntExact(rows)).columns(begin, end);
    return new Projection(weights, adapter(name + ".weight", rows, columns, begin), bias, target);
  }

  private Projection.@Nullable Adapter adapter(
      String tensor, long rows, long columns, long firstOutput) {
    LoraAdapter.Delta delta = options.adapter() == null ? null : options.adapter().find(tensor);
    // A head that shares the embeddings' matrix would change without them.
    if (delta == null || tensor.startsWith("token_embd")) {
      return null;
    }
    if (delta.outputs() != rows || delta.inputs() != columns) {
      throw new BadArgumentException(
          "the adapter was opened for another model: its change of "
              + tensor
              + " has the shape ["
              + delta.inputs()
              + ", "
              + delta.outputs()
              + "]; the model's is ["
              + columns
              + ", "
              + rows
              + "]");
    }
    unadapted.remove(tensor);
    adapterRank = Math.max(adapterRank, delta.rank());
    return new Projection.Adapter(delta, firstOutput);
  }

  /** Returns the largest rank of an adapter; 0 if there is none. */
  int adapterRank() {
    return adapterRank;
  }

  private PackedWeights pack(String name, Matrix source) {
    PackedWeights packed =
        kept != null
            ? kept.pack(name, source, pool)
            : options.pack()
                ? PackedWeights.pack(kernels, team, source, pool)
                : PackedWeights.stored(kernels, source);
    packedBytes += source.rows() * source.type().rowBytes(source.columns());
    options.progress().accept(name, packedBytes);
    return packed;
  }

  private NormWeights norm(String name, int length) {
    boolean bias = config.architecture().norm() == Architecture.Norm.LAYER;
    return new NormWeights(
        vector(name + ".weight", length), bias ? vector(name + ".bias", length) : null);
  }

  private @Nullable NormWeights optionalNorm(String name, int length) {
    return file.findTensor(name + ".weight") == null
        ? null
        : new NormWeights(vector(name + ".weight", length), null);
  }

  private float[] ropeDivisors() {
    int pairs = config.rope().dimensions() / 2;
    // Phi 3 has one set of divisors for the original context, and one for a stretched one.
    boolean stretched = config.contextLength() > config.rope().originalContext();
    for (String name :
        List.of(
            "rope_freqs.weight",
            stretched ? "rope_factors_long.weight" : "rope_factors_short.weight")) {
      if (file.findTensor(name) != null) {
        float[] divisors = new float[pairs];
        Matrix vector = vector(name, pairs);
        MemorySegment.copy(vector.segment(), JAVA_FLOAT, 0, divisors, 0, pairs);
        for (float divisor : divisors) {
          if (!(divisor > 0)) {
            throw new BadModelFileException(
                file.path() + ": tensor " + name + " has the value " + divisor + ", not above 0");
          }
        }
        return divisors;
      }
    }
    return new float[0];
  }

  /** Returns a tensor of one dimension, decoded to F32. */
  private Matrix vector(String name, int length) {
    GgufTensor tensor = file.tensor(name);
    if (tensor.shape().size() != 1 || tensor.columns() != length) {
      throw wrongShape(tensor, "[" + length + "]");
    }
    float[] values = new float[length];
    tensor.type().codec().decode(file.data(tensor), 0, values, 0, length);
    MemorySegment segment = vectors.allocate(4L * length);
    MemorySegment.copy(values, 0, segment, JAVA_FLOAT, 0, length);
    return Matrix.of(segment, TensorType.F32, 1, length);
  }

  private Matrix matrix(String name, long rows, long columns) {
    GgufTensor tensor = file.tensor(name);
    if (tensor.columns() != columns || tensor.rows() != rows) {
      throw wrongShape(tensor, "[" + columns + ", " + rows + "]");
    }
    tensor.type().codec();
    return file.matrix(tensor);
  }

  private BadModelFileException wrongShape(GgufTensor tensor, String expected) {
    return new BadModelFileException(
        file.path()
            + ": tensor "
            + tensor.name()
            + " has the shape "
            + tensor.shape()
            + "; the metadata asks for "
            + expected);
  }

  @Override
  public void close() {
    for (AutoCloseable each : owned) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException("freeing memory does not fail", e);
      }
    }
  }
}
