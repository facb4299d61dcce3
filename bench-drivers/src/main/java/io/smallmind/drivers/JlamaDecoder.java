package io.smallmind.drivers;

import com.github.tjake.jlama.math.ActivationFunction;
import com.github.tjake.jlama.math.VectorMath;
import com.github.tjake.jlama.model.llama.LlamaConfig;
import com.github.tjake.jlama.model.llama.LlamaModel;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import com.github.tjake.jlama.safetensors.WeightLoader;
import com.github.tjake.jlama.safetensors.prompt.PromptSupport;
import com.github.tjake.jlama.safetensors.tokenizer.Tokenizer;
import com.github.tjake.jlama.safetensors.tokenizer.TokenizerModel;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.FloatBufferTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Jlama's Llama, from a folder with config.json and model.safetensors in F32. */
final class JlamaDecoder implements Decoder {
  private final Scored model;
  private final KvBufferCache.KvBuffer context;

  JlamaDecoder(JsonObject request) throws IOException {
    PhysicalCoreExecutor.overrideThreadCount(request.get("threads").getAsInt());
    Path folder = Path.of(request.get("model").getAsString());
    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve("config.json"))).getAsJsonObject();
    model =
        new Scored(
            config(json),
            SafeTensorSupport.loadWeights(folder.toFile()),
            new NoTokenizer(),
            DType.F32,
            DType.F32,
            Optional.empty());
    context = new KvBufferCache(model).getEphemeralKvBuffer();
  }

  private static LlamaConfig config(JsonObject json) {
    return new LlamaConfig(
        json.get("max_position_embeddings").getAsInt(),
        json.get("hidden_size").getAsInt(),
        json.get("intermediate_size").getAsInt(),
        json.get("num_attention_heads").getAsInt(),
        json.get("num_key_value_heads").getAsInt(),
        json.get("num_hidden_layers").getAsInt(),
        json.get("rms_norm_eps").getAsFloat(),
        json.get("vocab_size").getAsInt(),
        json.get("bos_token_id").getAsInt(),
        json.get("eos_token_id").getAsInt(),
        ActivationFunction.Type.SILU,
        json.get("rope_theta").getAsDouble(),
        Map.of());
  }

  @Override
  public float[] read(int[] tokens, int position) {
    context.setCurrentContextPosition(position);
    try (AbstractTensor<?, ?> output = model.batchForward(tokens, position, context)) {
      return model.scores(output.slice(tokens.length - 1));
    }
  }

  /** Gives scores, of which getLogits makes probabilities. */
  private static final class Scored extends LlamaModel {
    private final FloatBufferTensor logits;

    Scored(
        LlamaConfig config,
        WeightLoader weights,
        Tokenizer tokenizer,
        DType working,
        DType activations,
        Optional<DType> quantized) {
      super(config, weights, tokenizer, working, activations, quantized);
      logits = new FloatBufferTensor(1, config.vocabularySize);
    }

    float[] scores(AbstractTensor<?, ?> output) {
      try (AbstractTensor<?, ?> normed = sampleOutput.getOutputLayerNorm().forward(output)) {
        VectorMath.pchunk(
            0,
            c.vocabularySize,
            (begin, length) ->
                TensorOperationsProvider.get()
                    .dotProductChunk(
                        logits,
                        normed,
                        sampleOutput.getOutputLogitsWeights(),
                        0,
                        c.embeddingLength,
                        begin,
                        length));
      }
      return logits.getMemorySegment().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /** Tokens come as numbers. */
  private static final class NoTokenizer implements Tokenizer {
    @Override
    public List<String> tokenize(String text) {
      throw new UnsupportedOperationException("there is no vocabulary");
    }

    @Override
    public long[] encode(String text) {
      throw new UnsupportedOperationException("there is no vocabulary");
    }

    @Override
    public String decode(long token) {
      return "";
    }

    @Override
    public String decode(long[] tokens) {
      return "";
    }

    @Override
    public Optional<PromptSupport> promptSupport() {
      return Optional.empty();
    }

    @Override
    public TokenizerModel getModel() {
      throw new UnsupportedOperationException("there is no vocabulary");
    }
  }
}
