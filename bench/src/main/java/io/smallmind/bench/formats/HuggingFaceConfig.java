package io.smallmind.bench.formats;

import com.google.gson.GsonBuilder;
import io.smallmind.model.ModelConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The config.json of a Llama-shaped model. */
final class HuggingFaceConfig {
  private HuggingFaceConfig() {}

  static String of(LlamaTensors tensors) {
    ModelConfig config = tensors.config();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of("LlamaForCausalLM"));
    json.put("model_type", "llama");
    json.put("vocab_size", config.vocabularySize());
    json.put("max_position_embeddings", config.contextLength());
    json.put("hidden_size", config.embeddingLength());
    json.put("intermediate_size", config.feedForwardLength());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.kvHeads());
    json.put("head_dim", config.headDim());
    json.put("hidden_act", "silu");
    json.put("rms_norm_eps", config.normEpsilon());
    json.put("rope_theta", config.rope().base());
    json.put("tie_word_embeddings", tensors.isTied());
    json.put("bos_token_id", 1);
    json.put("eos_token_id", 2);
    json.put("torch_dtype", "float32");
    return new GsonBuilder().setPrettyPrinting().create().toJson(json);
  }
}
